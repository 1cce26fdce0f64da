
# json_value JSON KEY: a member of a JSON object: the text of a string, anything else as it is written. Fails with 1 when
# there is none, with 2 when this is no JSON object, with 3 when the text has a NUL, which no variable can hold.
# In bytes (LC_ALL=C): POSIX awk writes a character of a number above 127 in the encoding of its locale.
json_value() {
    printf '%s\n' "$2" "$1" | LC_ALL=C awk '
function skip() { sub(/^[ \t\r\n]+/, "", rest) }
function take(  c) {
    c = substr(rest, 1, 1)
    rest = substr(rest, 2)
    return c
}
function hex(  n, i) {
    if (rest !~ /^[0-9A-Fa-f][0-9A-Fa-f][0-9A-Fa-f][0-9A-Fa-f]/) exit 2
    for (i = 0; i < 4; i++) n = n * 16 + index("123456789abcdef", tolower(take()))
    return n
}
function code_point(  n, room, tail) {
    n = hex()
    # A pair of surrogates is one character; half of one is none.
    if (n >= 55296 && n < 56320 && rest ~ /^\\u[Dd][C-Fc-f]/) {
        rest = substr(rest, 3)
        n = 65536 + (n - 55296) * 1024 + hex() - 56320
    } else if (n >= 55296 && n < 57344) n = 65533
    if (!n) nul = 1
    if (n < 128) return sprintf("%c", n)
    # UTF-8: six bits a byte from the end, until the rest fits into the first one beside its mark.
    for (room = 64; n >= room; room /= 2) {
        tail = sprintf("%c", 128 + n % 64) tail
        n = int(n / 64)
    }
    return sprintf("%c", 256 - 2 * room + n) tail
}
function text(  all, c, i) {
    while (match(rest, /["\\]/)) {
        all = all substr(rest, 1, RSTART - 1)
        c = substr(rest, RSTART, 1)
        rest = substr(rest, RSTART + 1)
        if (c == "\"") return all ""
        c = take()
        i = c == "" ? 0 : index("\"\\/bfnrt", c)
        if (c == "u") all = all code_point()
        else if (i) all = all substr("\"\\/\b\f\n\r\t", i, 1)
        else exit 2
    }
    exit 2
}
function value(  all, c, depth, from) {
    skip()
    if (substr(rest, 1, 1) == "\"") {
        take()
        return text()
    }
    while (match(rest, /[]["{},]/)) {
        c = substr(rest, RSTART, 1)
        if (!depth && (c == "," || c == "}")) {
            all = all substr(rest, 1, RSTART - 1)
            rest = substr(rest, RSTART)
            sub(/[ \t\r\n]+$/, "", all)
            if (all == "") exit 2
            return all
        }
        all = all substr(rest, 1, RSTART)
        rest = substr(rest, RSTART + 1)
        if (c == "\"") {
            from = rest
            text()
            nul = 0
            all = all substr(from, 1, length(from) - length(rest))
        } else if (c == "{" || c == "[") depth++
        else if (c != "," && --depth < 1) return all
    }
    exit 2
}
NR == 1 { key = $0; next }
{ rest = rest $0 "\n" }
END {
    skip()
    if (take() != "{") exit 2
    for (;;) {
        skip()
        c = take()
        if (c == "}") break
        if (c == ",") continue
        if (c != "\"") exit 2
        nul = 0
        name = text()
        skip()
        if (take() != ":") exit 2
        member = value()
        if (name == key "") { found = 1; wanted = member; lost = nul }
    }
    if (!found || lost) exit found ? 3 : 1
    printf "%s", wanted
}'
}

# json_key JSON KEY: the same, and says on the console why there is none.
json_key() {
    json_value "$@" && return 0
    case $? in
        1) say "the secret has no key $2" >&2 ;;
        3) say "the secret has a NUL character, which an environment variable cannot hold" >&2 ;;
        *) say "the secret is not a JSON object, so it has no key $2" >&2 ;;
    esac
    return 1
}
