#!/usr/bin/env python3
"""Starts moto's server, and prepares and inspects the accounts in it.

Run by moto's own Python. Reads one JSON request per line on stdin and answers each with one JSON
line on stdout; when stdin ends, for whatever reason, moto ends too. The tests, the demo and the
bench all work through this one program.
"""

import collections
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

import botocore.config
import botocore.session

import amis
import calls
import fields
import inventory
import load
import place
import registry
import replaying
import stored

# What makes moto as strict as it can be.
STRICT = {
    "MOTO_DISABLE_GLOBAL_CORS": "1",
    "MOTO_ENABLE_AMI_VALIDATION": "1",
    "MOTO_EC2_ENABLE_INSTANCE_TYPE_VALIDATION": "1",
    "MOTO_ENABLE_KEYPAIR_VALIDATION": "1",
    "MOTO_IAM_LOAD_MANAGED_POLICIES": "true",
    # Seconds that a certificate waits after its validation record is there (`repairs.py`).
    "MOTO_ACM_VALIDATION_WAIT": "0",
}


REGION = "eu-west-1"
# Where teams have networks in the tests.
REGIONS = ("eu-west-1", "eu-central-1")
REQUESTS = ("seed", "prepare", "assume", "inventory", "estate", "versions", "call", "calls", "fields", "registry", "replay", "log")


def images():
    """A file with the machine images for moto; it goes when it is closed."""
    file = tempfile.NamedTemporaryFile("w", prefix="amis-", suffix=".json", encoding="utf-8")
    json.dump([ami for region in REGIONS for ami in amis.recommended(region)], file)
    file.flush()
    return file


def environment(images):
    """The variables that moto runs with."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "MOTO_"))}
    return {**inherited, **STRICT, "MOTO_AMIS_PATH": images.name, "PYTHONUNBUFFERED": "1"}


class Moto:
    """A moto server on a free loopback port."""

    def __init__(self):
        self.amis = images()
        self.process = subprocess.Popen(
            [sys.executable, "-B", os.path.join(os.path.dirname(__file__), "serve.py"), "-H", "127.0.0.1", "-p", "0"],
            env=environment(self.amis),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=die_with_parent,
        )
        self.log = collections.deque(maxlen=400)
        self.endpoint = None
        for line in self.process.stdout:
            self.log.append(line)
            found = re.search(r"Running on (http://127\.0\.0\.1:\d+)", line)
            if found:
                self.endpoint = found.group(1)
                break
        if self.endpoint is None:
            raise SystemExit("moto did not start:\n" + "".join(self.log))
        # Not read, the pipe would fill and moto would stop in the middle of an answer.
        threading.Thread(target=lambda: self.log.extend(self.process.stdout), daemon=True).start()

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.amis.close()


def die_with_parent():
    """Linux: moto gets SIGTERM even when this process is killed. Elsewhere stdin's end must do."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGTERM)
    except (OSError, AttributeError):
        pass


class Clients:
    """Clients of all accounts: one for each service and region, since each takes a moment to make, and megabytes."""

    SETTINGS = {"retries": {"max_attempts": 1}, "read_timeout": 60}

    def __init__(self, endpoint):
        self.endpoint, self.number, self.clients = endpoint, None, {}
        self.session = botocore.session.Session()
        self.session.set_credentials("test", "test")
        # What is signed with; clients look at it anew at each call.
        self.credentials = self.session.get_credentials()

    def sign(self, number, key, secret, token=None):
        """Whose calls are those that follow."""
        self.number = number
        self.credentials.access_key, self.credentials.secret_key, self.credentials.token = key, secret, token

    def _without_account(self, request, **_):
        request.url = request.url.replace(f"//{self.number}.", "//")

    def client(self, service, region):
        if (service, region) not in self.clients:
            config = botocore.config.Config(**self.SETTINGS)
            client = self.session.create_client(service, region, endpoint_url=self.endpoint, config=config)
            # S3 Control's host names begin with the account; the endpoint's is an address.
            client.meta.events.register("before-send.s3-control", self._without_account)
            self.clients[service, region] = client
        return self.clients[service, region]


class Account:
    """One AWS account in the emulator, in one region."""

    def __init__(self, clients, number, region):
        self.clients, self.number, self.region = clients, number, region
        clients.sign(None, "test", "test")
        role = f"arn:aws:iam::{number}:role/test"
        sts = clients.client("sts", region)
        self.credentials = sts.assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]

    def client(self, service):
        """A client for calls that are made before another account is asked for one."""
        given = self.credentials
        self.clients.sign(self.number, given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
        return self.clients.client(service, self.region)


def told(credentials):
    """Credentials, as the tests read them."""
    return {
        "access_key_id": credentials["AccessKeyId"],
        "secret_access_key": credentials["SecretAccessKey"],
        "session_token": credentials["SessionToken"],
    }


def seeded(account, request):
    """Prepares an account: its VPC, zones and certificate; returns their ids and credentials."""
    return {**told(account.credentials), **place.seed(account, **request.get("options", {}))}


def prepared(accounts):
    """Removes what AWS puts into a new account, which is given once for each region; returns credentials."""
    for account in accounts:
        place.remove_default_vpc(account.client("ec2"))
    return told(accounts[0].credentials)


def assumed(account, role):
    """Credentials of a role in the account: moto gives them for any role, so it must be there."""
    arn = account.client("iam").get_role(RoleName=role)["Role"]["Arn"]
    return told(account.client("sts").assume_role(RoleArn=arn, RoleSessionName=role)["Credentials"])


def called(account, request):
    """Any one call of any service, in boto3's spelling."""
    operation = getattr(account.client(request["service"]), request["operation"])
    answer = operation(**request.get("arguments", {}))
    answer.pop("ResponseMetadata", None)
    return answer


class Record:
    """`minion`'s calls, left in the directory that MINION_CALLS names when the emulator ends.

    Whoever asked for them waits until `<pid>.running` is `<pid>.calls`.
    """

    def __init__(self):
        directory = os.environ.get("MINION_CALLS")
        self.path = os.path.join(directory, str(os.getpid())) if directory else None
        if self.path:
            with open(f"{self.path}.running", "w", encoding="utf-8"):
                pass

    def keep(self, names):
        if self.path:
            with open(f"{self.path}.running", "w", encoding="utf-8") as out:
                out.writelines(f"{name}\n" for name in names)
            os.rename(f"{self.path}.running", f"{self.path}.calls")


class Emulator:
    """Answers the requests."""

    def __init__(self, moto):
        self.moto = moto
        self.clients = Clients(moto.endpoint)
        self.accounts = {}
        self.registries = []
        self.record = Record()

    def account(self, request):
        key = (request["account"], request.get("region", REGION))
        if key not in self.accounts:
            self.accounts[key] = Account(self.clients, *key)
        return self.accounts[key]

    def seed(self, request):
        return seeded(self.account(request), request)

    def prepare(self, request):
        return prepared([self.account({**request, "region": region}) for region in request["regions"]])

    def assume(self, request):
        return assumed(self.account(request), request["role"])

    def inventory(self, request):
        """Everything of a place and of `minion` that stands in the account, by kind."""
        return inventory.inventory(self.account(request))

    def estate(self, request):
        """Everything that stands in the account, in all of these regions, by region and kind."""
        return inventory.estate([self.account({**request, "region": region}) for region in request["regions"]])

    def calls(self, _request=None):
        """Names of the operations that the binaries called, by binary."""
        with urllib.request.urlopen(self.moto.endpoint + calls.CALLS, timeout=30) as answer:
            return json.load(answer)

    def fields(self, request):
        """The fields that these marks reached (`fields.py`)."""
        body = json.dumps(request["marks"]).encode()
        with urllib.request.urlopen(self.moto.endpoint + fields.FIELDS, data=body, timeout=60) as answer:
            return json.load(answer)

    def versions(self, request):
        """Puts many versions of many applications into the account."""
        return load.versions(self.account(request), **request["options"])

    def call(self, request):
        return called(self.account(request), request)

    def registry(self, request):
        """Starts a container registry with the images for the tests in it."""
        started = registry.start(request.get("program"))
        self.registries.append(started)
        return {"host": started.host, "program": started.program, "images": started.images}

    def replay(self, request):
        """Makes the calls of a release again, as if the last one had been so many seconds ago: what it named by now."""
        names = stored.Names({**request["accounts"], **request["names"]}, int(time.time()) - request["ago"])

        def credentials(name, region):
            return self.account({"account": request["accounts"][name], "region": region}).credentials

        with open(request["file"], encoding="utf-8") as lines:
            replaying.replay(self.moto.endpoint, lines, names, credentials)
        return names.known

    def stop(self):
        for started in self.registries:
            started.stop()
        try:
            self.record.keep(self.calls().get("minion", []))
        finally:
            self.moto.stop()

    def log(self, _request):
        """The last lines that moto wrote: where a 500 came from."""
        return "".join(self.moto.log)

    def answer(self, line):
        try:
            request = json.loads(line)
            do = request["do"]
            if do not in REQUESTS:
                raise ValueError(f"no such request: {do}")
            return {"ok": getattr(self, do)(request)}
        except Exception as error:  # whatever it is, the asker gets to know
            return {"error": f"{type(error).__name__}: {error}"}


def main():
    # Ctrl-C reaches everybody in the terminal's group; what starts us decides when we end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    emulator = Emulator(Moto())
    try:
        print(json.dumps({"endpoint": emulator.moto.endpoint, "pid": emulator.moto.process.pid}), flush=True)
        for line in sys.stdin:
            print(json.dumps(emulator.answer(line), default=str), flush=True)
    finally:
        emulator.stop()


if __name__ == "__main__":
    main()
