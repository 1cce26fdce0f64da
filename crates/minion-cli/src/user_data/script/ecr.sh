
# ecr_password REGION: that of the user AWS at registries of ECR, for twelve hours.
ecr_password() {
    target=AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken
    aws_call ecr api.ecr "$1" "$target" '{}' || return 1
    # A list of one object, whose token is AWS:PASSWORD in base64.
    answer=$(json_value "$answer" authorizationData) || return 1
    answer=${answer#?}
    answer=$(json_value "${answer%?}" authorizationToken) || return 1
    answer=$(printf '%s' "$answer" | base64 -d) || return 1
    printf '%s' "${answer#*:}"
}
