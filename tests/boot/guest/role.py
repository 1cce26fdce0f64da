"""The credentials of the instance's role: the metadata service gives them out, the AWS stand-in checks signatures by them."""

import datetime

NAME = "app-hello"
ACCESS_KEY = "ASIABOOTPROOFEXAMPLE"
# With the characters that real keys have beyond letters and digits.
SECRET_KEY = "boot/proof+secret/ke+y/0123456789abcdefg"
TOKEN = "IQoJb3JpZ2luX2Jvb3Q/proof+session/token==" * 8


def document():
    """As `meta-data/iam/security-credentials/<role>` has it."""
    now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    text = "%Y-%m-%dT%H:%M:%SZ"
    return {
        "Code": "Success",
        "LastUpdated": now.strftime(text),
        "Type": "AWS-HMAC",
        "AccessKeyId": ACCESS_KEY,
        "SecretAccessKey": SECRET_KEY,
        "Token": TOKEN,
        "Expiration": (now + datetime.timedelta(hours=6)).strftime(text),
    }
