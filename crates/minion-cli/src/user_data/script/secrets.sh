
# parameter REGION NAME and secret REGION NAME: the value on stdout; it goes nowhere else.
parameter() {
    aws ssm get-parameter --region "$1" --name "$2" --with-decryption --query Parameter.Value --output text
}
secret() {
    aws secretsmanager get-secret-value --region "$1" --secret-id "$2" --query SecretString --output text
}
