"""One call of AWS's API, in boto3's spelling, to an endpoint on this computer: `sandbox.py ENDPOINT SERVICE OPERATION`,
arguments as JSON on stdin, the answer as JSON on stdout. Credentials and region come from the environment."""

import json
import sys

import boto3

endpoint, service, operation = sys.argv[1:]
if not endpoint.startswith("http://127.0.0.1:"):
    raise SystemExit(f"{endpoint} is not on this computer: refusing to go on")
client = boto3.client(service, endpoint_url=endpoint)
answer = getattr(client, operation)(**json.load(sys.stdin))
answer.pop("ResponseMetadata", None)
json.dump(answer, sys.stdout, default=str)
