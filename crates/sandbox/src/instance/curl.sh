#!/bin/sh
# Stands in for curl on an instance of the sandbox, in the two ways in which the boot script calls it. A request that is to
# be signed is for AWS: the sandbox process passes it on, without the credentials, which nobody checks there. All others
# go to the metadata service, at its own address.
case " $* " in
    *' --aws-sigv4 '*)
        cat >/dev/null
        exec aws-call "$@"
        ;;
esac
end='
'
method=GET
headers=
url=
while [ "$#" -gt 0 ]; do
    case $1 in
        -X) method=$2; shift ;;
        -H) headers=$headers$2$end; shift ;;
        -m) shift ;;
        --config)
            while read -r name is value; do
                value=${value#\"}
                [ "$name $is" = 'header =' ] && headers=$headers${value%\"}$end
            done
            shift
            ;;
        http://*) url=${1#http://} ;;
    esac
    shift
done
host=${url%%/*}
# Who hangs up first gets no answer through the forwarder of an instance, and it sometimes gives none.
for patience in 0.2 0.5 1 2; do
    answer=$(
        {
            printf '%s /%s HTTP/1.0\nHost: %s\nContent-Length: 0\n%s\n' "$method" "${url#*/}" "$host" "$headers" | sed 's/$/\r/'
            sleep "$patience"
        } | nc "$host" 80 | tr -d '\r'
    )
    [ -z "$answer" ] || break
done
case $answer in
    'HTTP/1.'?' 2'*) printf '%s\n' "$answer" | sed '1,/^$/d' ;;
    '') exit 7 ;;
    *) exit 22 ;;
esac
