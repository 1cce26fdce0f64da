"""What must be true of the instance after its user data ran, and after a reboot. Runs at the end of each boot, says on the
second serial port what it found, one JSON object a line, and then reboots or powers off."""

import hashlib
import json
import os
import re
import subprocess
import time
import urllib.error
import urllib.request

import role
import scenario

REPORT = "/dev/ttyS1"
STATE = f"{scenario.LOGS}/state.json"
# Seconds for what comes into being by itself; software emulation is slow.
PATIENCE = 240
LOGS = ["/var/log", "/run/minion", "/var/lib/cloud", "/var/lib/minion", "/etc"]


def run(*command):
    """What a command prints."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)
    return (done.stdout + done.stderr).strip()


def inspect():
    """The container, as Docker describes it; none where there is none."""
    found = subprocess.run(["docker", "inspect", "app"], capture_output=True, text=True, check=False, timeout=PATIENCE)
    return json.loads(found.stdout)[0] if found.returncode == 0 else None


def eventually(what):
    """The first result that is not none, within the time for such things; else the last one."""
    deadline = time.monotonic() + PATIENCE
    while (found := what()) is None and time.monotonic() < deadline:
        time.sleep(1)
    return found


def answer(port, path):
    """Status and text of an HTTP request to the instance's own address."""
    try:
        with urllib.request.urlopen(f"http://10.99.0.10:{port}{path}", timeout=10) as response:
            return response.status, response.read().decode()
    except (urllib.error.URLError, OSError):
        return None


class Checks:
    """Says each check's result; keeps what a later boot is compared with."""

    def __init__(self, wanted, boot, before):
        self.wanted, self.boot, self.before, self.now = wanted, boot, before, {}
        self.failed = False

    def say(self, **what):
        line = json.dumps({"boot": self.boot, **what})
        with open(REPORT, "w", encoding="utf-8") as port:
            port.write(line + "\n")

    def that(self, name, holds, found=""):
        self.failed |= not holds
        self.say(check=name, ok=bool(holds), found="" if holds else str(found)[:2000])

    def same(self, name, value):
        """Kept over all boots."""
        self.now[name] = value
        if self.before is not None:
            self.that(f"{name} is the same after a reboot", value == self.before.get(name), (self.before.get(name), value))

    def user_data(self):
        status = json.loads(run("cat", "/run/cloud-init/result.json"))["v1"]
        self.that("cloud-init found the EC2 datasource", "Ec2" in (status["datasource"] or ""), status)
        failed = any("scripts" in error or "user" in error.lower() for error in status["errors"])
        self.that("user data ended as it should", failed == (self.wanted["fails"] and self.boot == 1), status)
        tokens = [e for e in scenario.entries("metadata") if e["method"] == "PUT" and e["status"] == 200]
        self.that("metadata was asked with session tokens", tokens)
        self.that("no agent of a cluster ran", not os.path.exists(f"{scenario.LOGS}/ecs-ran"))
        enabled = run("systemctl", "is-enabled", "ecs")
        self.that("the agent of a cluster is disabled", enabled == "disabled", enabled)

    def container(self):
        # Docker restarts it after a reboot.
        container = eventually(lambda: (c := inspect()) and c["State"]["Running"] and c or None)
        if not container:
            self.that("the container runs", False, run("docker", "ps", "-a"))
            return
        self.that("the container runs", container["RestartCount"] == 0, container["State"])
        self.same("the container", container["Id"])
        self.same("the image", container["Image"])
        started = container["State"]["StartedAt"]
        if self.before is not None:
            self.that("the container was started again", started != self.before["started"], started)
        self.now["started"] = started
        user = self.wanted.get("user", "1000:1000")
        self.that(f"it runs as {user}", container["Config"]["User"] == user, container["Config"]["User"])
        given = answer_of = eventually(lambda: answer(self.wanted["port"], "/health"))
        self.that("the application answers", answer_of and given[0] == 200, given)
        with open(f"/proc/{container['State']['Pid']}/environ", encoding="utf-8") as file:
            environment = dict(entry.split("=", 1) for entry in file.read().split("\0") if entry)
        for name, value in self.wanted.get("environment", {}).items():
            self.that(f"{name} has its value", environment.get(name) == value, environment.get(name))

    def file_systems(self):
        for wanted in self.wanted.get("file_systems", []):
            at = wanted["at"]
            mounted = run("findmnt", "-n", "-o", "SOURCE,FSTYPE,SIZE,UUID", "--bytes", "--mountpoint", at).split()
            self.that(f"{at} is a file system of its own", len(mounted) == 4, mounted)
            if len(mounted) != 4:
                continue
            source, _, size, uuid = mounted
            self.that(f"{at} is on {wanted['on']}", re.match(wanted["on"], source), source)
            at_most = wanted["mib"] << 20
            self.that(f"{at} has {wanted['mib']} MiB", at_most * 0.8 < int(size) <= at_most, size)
            self.same(f"the file system at {at}", uuid)
        for path in self.wanted.get("kept", []):
            with open(path, encoding="utf-8") as file:
                starts = file.read().count("started")
            self.that(f"{path} has one line of each boot", starts == self.boot, starts)
        fstab = run("grep", "-v", "^#", "/etc/fstab")
        self.same("fstab", fstab)

    def volume_names(self):
        """The script asks the NVMe controller for the name of its volume. QEMU's has no such name, but a serial number:
        the same question, for that."""
        with open("/var/lib/cloud/instance/user-data.txt", encoding="utf-8") as file:
            asks = re.search(r"python3 -c '(import ctypes.*?)' \"\$1\"", file.read(), re.DOTALL)
        if asks:
            serial = run("python3", "-c", asks[1].replace("3072:3104", "4:24"), "/dev/nvme0n1")
            self.that("the NVMe controller answers the script's question", serial.startswith("ebs-"), serial)

    def calls(self):
        """Each thing is asked for once, at the first boot."""
        entries = [e for e in scenario.entries("aws") if "Log" not in e["operation"]]
        made = sorted(f"{e['operation']} {e['asked'] or ''}".strip() for e in entries)
        if "calls" in self.wanted:
            self.that("AWS was called as expected", made == sorted(self.wanted["calls"]), entries)
        with open(f"{scenario.LOGS}/registry.out", encoding="utf-8") as file:
            pulls = len(re.findall(r'"GET /v2/[a-z]+/manifests/[^"]+" 200', file.read()))
        if self.wanted["fails"]:
            self.that("the registry was asked as expected", (pulls > 0) == self.wanted["pulls"], pulls)
        else:
            self.that("the image was pulled once", pulls == 1, pulls)
        self.same("the number of pulls", pulls)
        self.same("the calls of AWS", made)

    def stand_in(self):
        """What is signed with another key is refused: without that, the calls that went well would show nothing."""
        answers = {}
        for name, key in (("own", role.SECRET_KEY), ("other", role.SECRET_KEY[::-1])):
            answers[name] = run(
                "curl", "-s", "--aws-sigv4", "aws:amz:eu-west-1:ssm", "--user", f"{role.ACCESS_KEY}:{key}",
                "-H", f"x-amz-security-token: {role.TOKEN}", "-H", "content-type: application/x-amz-json-1.1",
                "-H", "x-amz-target: AmazonSSM.GetParameter", "-H", "x-boot-proof: trial",
                "--data-raw", '{"Name": "/boot-proof/nothing"}', "https://ssm.eu-west-1.amazonaws.com/",
            )  # fmt: skip
        refused = "ParameterNotFound" in answers["own"] and "InvalidSignatureException" in answers["other"]
        self.that("the stand-in of AWS refuses a wrong signature", refused, answers)

    def log_lines(self):
        wanted = self.wanted.get("logged")
        if wanted:
            def lines():
                sent = [line for e in scenario.entries("aws") for line in e.get("lines", [])]
                return sent if sent.count(wanted) >= self.boot else None

            self.that("CloudWatch Logs has the container's output", eventually(lines), scenario.entries("aws")[-5:])

    def programs(self):
        """The script's own rest, which watches the container, shows what it found its programs by."""
        if self.boot > 1 or self.wanted["fails"]:
            return
        paths = set()
        for process in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{process}/cmdline", encoding="utf-8") as file:
                    command = file.read()
                with open(f"/proc/{process}/environ", encoding="utf-8") as file:
                    variables = file.read().split("\0")
            except OSError:
                continue
            if "/var/lib/cloud/instance/scripts/" in command:
                paths.update(v for v in variables if v.startswith("PATH="))
        self.that("the script found only the programs of the table", paths == {f"PATH={scenario.PATH}"}, paths)

    def secrets(self):
        """No file on the instance has a secret in it, but Docker's own."""
        arguments = [e for e in scenario.entries("aws") if e["arguments"]]
        self.that("no program had credentials among its arguments", not arguments, arguments)
        for value in [role.SECRET_KEY, role.TOKEN, *self.wanted.get("secret", [])]:
            first = value.splitlines()[0]
            found = run("grep", "-rlasF", "--", first, *LOGS)
            digest = hashlib.sha256(value.encode()).hexdigest()[:8]
            self.that(f"no log and no file has the secret {digest}", not found, found)

    def all(self):
        self.user_data()
        if self.wanted["fails"]:
            self.that("there is no container", not inspect(), run("docker", "ps", "-a"))
        else:
            self.container()
            self.file_systems()
            self.volume_names()
            self.log_lines()
        self.calls()
        self.stand_in()
        self.programs()
        self.secrets()


def main():
    state = {"boots": 0, "before": None}
    if os.path.exists(STATE):
        with open(STATE, encoding="utf-8") as file:
            state = json.load(file)
    boot = state["boots"] + 1
    wanted = scenario.load()["wanted"]
    checks = Checks(wanted, boot, state["before"])
    with open("/proc/uptime", encoding="utf-8") as file:
        checks.say(begins=True, uptime=float(file.read().split()[0]))
    try:
        checks.all()
    except Exception as error:  # pylint: disable=broad-except
        checks.that("the checks themselves work", False, repr(error))
    with open(STATE, "w", encoding="utf-8") as file:
        json.dump({"boots": boot, "before": checks.now}, file)
    if checks.failed:
        # For a person: what Docker and the stand-ins said.
        notes = run("journalctl", "--no-pager", "-o", "cat", "-u", "docker", "--grep", "level=(warning|error)").splitlines()[-20:]
        for service in ("metadata", "aws", "registry"):
            notes += run("tail", "-n", "15", f"{scenario.LOGS}/{service}.out").splitlines()
        for note in notes:
            checks.say(note=note[:500])
    os.sync()
    last = boot >= wanted["boots"]
    checks.say(ends=True, last=last)
    run("systemctl", "--no-block", "poweroff" if last else "reboot")


if __name__ == "__main__":
    main()
