
# complain TEXT: on the console; what is tried again and fails the same way is said once. A subshell keeps no variables, so
# a file knows what was said.
complain() {
    complained=$(cat "$root/run/minion/complaints" 2>/dev/null) || :
    case $line_end$complained$line_end in *"$line_end$*$line_end"*) return 0 ;; esac
    { printf '%s\n' "$*" >>"$root/run/minion/complaints"; } 2>/dev/null || :
    say "$*" >&2
}

# json_text TEXT: in quotes, as a part of a request.
json_text() {
    printf '"%s"' "$(printf '%s' "$1" | sed 's/["\\]/\\&/g')"
}

# aws_call SERVICE HOST REGION TARGET REQUEST: asks AWS with the credentials of the instance's role; the answer is in $answer.
# They reach curl on its standard input: all programs can see the arguments. That curl signs every header that it is
# given is so since 7.86 (its commit 29c4aa00a1); before, AWS would refuse the session's token.
aws_call() {
    if ! role=$(metadata iam/security-credentials/) || ! keys=$(metadata "iam/security-credentials/$role") ||
        ! id=$(json_value "$keys" AccessKeyId) || ! key=$(json_value "$keys" SecretAccessKey) ||
        ! session=$(json_value "$keys" Token); then
        complain 'the instance metadata service has no credentials: has the instance a role?'
        return 1
    fi
    answer=$(printf 'user = "%s:%s"\nheader = "x-amz-security-token: %s"\n' "$id" "$key" "$session" |
        curl -s --connect-timeout 5 -m 30 --config - --aws-sigv4 "aws:amz:$3:$1" \
            -H 'content-type: application/x-amz-json-1.1' -H "x-amz-target: $4" --data-raw "$5" \
            -w '\n%{http_code} %{errormsg}' "https://$2.$3.$aws_domain/") || :
    status=${answer##*"$line_end"}
    answer=${answer%"$line_end"*}
    case $status in
        '200 ') return 0 ;;
        '') why='curl cannot sign requests: the machine image needs curl 7.86 or newer' ;;
        *' '?*) why="no answer from $2.$3.$aws_domain: ${status#* }" ;;
        *)
            kind=$(json_value "$answer" __type) || kind=
            why=$(json_value "$answer" message || json_value "$answer" Message) || why=
            why="HTTP $status${kind##*#}: $why"
            ;;
    esac
    complain "${4##*.} failed: $why"
    return 1
}
line_end='
'
# What an earlier run of the script said is said again.
: >"$root/run/minion/complaints"
