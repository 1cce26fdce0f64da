
# json_key JSON KEY: the value of a key in a JSON object, through pipes only.
json_key() {
    if has python3; then
        printf '%s' "$1" | python3 -c 'import json, sys
v = json.load(sys.stdin)[sys.argv[1]]
sys.stdout.write(v if isinstance(v, str) else json.dumps(v))' "$2" 2>/dev/null
    else
        need jq jq >&2
        printf '%s' "$1" | jq -e -r --arg key "$2" 'if has($key) then .[$key] else error("") end' 2>/dev/null
    fi
}
