
# instance_id: from the instance metadata service, else the host's name.
instance_id() {
    if has curl && metadata instance-id; then return 0; fi
    uname -n
}
