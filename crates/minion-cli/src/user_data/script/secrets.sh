
# parameter REGION NAME and secret REGION ID: the value on stdout; it goes nowhere else.
parameter() {
    aws_call ssm ssm "$1" AmazonSSM.GetParameter "{\"Name\":$(json_text "$2"),\"WithDecryption\":true}" || return 1
    json_key "$(json_value "$answer" Parameter)" Value
}
secret() {
    aws_call secretsmanager secretsmanager "$1" secretsmanager.GetSecretValue "{\"SecretId\":$(json_text "$2")}" || return 1
    json_value "$answer" SecretString && return 0
    # As in ECS ("Pass Secrets Manager secrets through Amazon ECS environment variables"): Docker takes no bytes that are no text.
    case $? in
        3) complain 'the secret has a NUL character, which an environment variable cannot hold' ;;
        *) complain 'the secret is binary: store it as text (aws secretsmanager put-secret-value --secret-string ..)' ;;
    esac
    return 1
}
