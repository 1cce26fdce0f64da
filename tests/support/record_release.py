"""Writes down what a release leaves on AWS, for the tests of those that come after it: `tests/upgrade/<version>`.

Run by moto's own Python on Linux, once for a release, with its binaries: `record_release.py 0.1.0 target/release`. What is
written is kept for ever: nothing is written where something is.

A story is played in an emulator, with the files of `tests/upgrade/story`. Each chapter's calls go into a file, and what
its listings said into another one. Then all calls are made again in other accounts, where the same has to stand afterwards.
"""

import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

import emulator
import registry
import replaying
import serving
import stored

UPGRADE = pathlib.Path(__file__).resolve().parent.parent / "upgrade"
ACCOUNTS = {name: str(710_000_000_001 + n) for n, name in enumerate(("home", "network", "red", "blue", "green"))}
OTHERS = {name: str(720_000_000_001 + n) for n, name in enumerate(ACCOUNTS)}

# Commands. One with a `?` only looks, one with a `!` is refused, and one with an `x` is killed once it is at work.
CHAPTERS = {
    "teams": [
        "overlord team create red",
        "overlord team create blue",
        "overlord team create green",
        "? overlord team list -o json",
        "? overlord team show red -o json",
        "? overlord team show blue -o json",
        "? overlord addresses -o json",
        "? overlord check -o json",
        "? overlord history red -o json",
    ],
    "applications": [
        "minion configure --region eu-west-1",
        "minion applications create hello.yaml",
        "minion versions create hello 1.0 {image} --instances 2 -e MODE=first",
        "minion versions create hello 2.0 {image} --public",
        "minion traffic hello 1.0 100",
        "minion traffic hello 2.0 25",
        # Refused: it has traffic.
        "! minion versions delete hello 2.0 --yes",
        "minion applications update changed.yaml",
        "minion versions scale hello 2.0 3",
        "minion applications create queue.yaml",
        "minion versions create queue 1.0 {image} --no-wait",
        "minion applications create shop.yaml",
        "minion --profile other configure --region eu-west-1 --registry registry.example.org:5000",
        "? minion applications -o json",
        "? minion applications show hello -o json",
        "? minion applications show queue -o json",
        "? minion applications show shop -o json",
        "? minion versions -o json",
        "? minion traffic hello -o json",
        "? minion history hello -o json",
    ],
    "locks": [
        "x overlord team update red",
        "x minion versions scale hello 1.0 4",
    ],
}


class World:
    """An emulator with accounts in it, whose calls are noted, and a directory to work in."""

    def __init__(self, binaries, home):
        self.binaries, self.home = binaries, home
        self.images = emulator.images()
        os.environ.update(emulator.environment(self.images))
        # moto reads its settings when it is imported.
        import inside
        import recording

        self.recording = recording
        self.recorder = recording.Recorder(inside.application())
        self.life, self.held = os.pipe()
        self.server = serving.Server(self.recorder, serving.listening(), self.life)
        threading.Thread(target=self.server.run, daemon=True).start()
        self.clients = emulator.Clients(self.server.endpoint)
        self.accounts, self.registry = {}, registry.start()
        self.child, self.seen = None, set()
        self.names = {"registry": self.registry.host, **ACCOUNTS}

    def account(self, number, region):
        if (number, region) not in self.accounts:
            self.accounts[number, region] = emulator.Account(self.clients, number, region)
        return self.accounts[number, region]

    def prepare(self, accounts):
        """As `Left` does: no default VPCs, a zone in `network`, and a setting that stays when the team goes in `red`."""
        for number in accounts.values():
            emulator.prepared([self.account(number, region) for region in emulator.REGIONS])
        dns = self.account(accounts["network"], emulator.REGION).client("route53")
        dns.create_hosted_zone(Name="example.org", CallerReference="example.org")
        self.account(accounts["red"], emulator.REGION).client("ec2").enable_ebs_encryption_by_default()

    def files(self):
        """Puts the story's files into the home directory."""
        names = stored.Names(self.names, 0)
        for file in sorted((UPGRADE / "story").rglob("*.*")):
            # Of another organization.
            if file.parent.name == "settings":
                continue
            path = self.home / file.relative_to(UPGRADE / "story")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(names.text(file.read_text()))

    def run(self, line):
        """Runs a command; what it says on stdout."""
        words = line.replace("{image}", f"{self.registry.host}/hello-world:0.1").split()
        how = words.pop(0) if words[0] in ("?", "!", "x") else ""
        self.seen = set()
        self.recorder.after = self._kill if how == "x" else lambda _call: None
        environment = self._environment("home" if words[0] == "overlord" else "red")
        self.child = subprocess.Popen(
            [self.binaries / words[0], *words[1:]],
            env=environment,
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        told, errors = self.child.communicate(timeout=300)
        if self.child.returncode != {"!": 1, "x": -signal.SIGKILL}.get(how, 0):
            raise SystemExit(f"{line}: exit code {self.child.returncode}\n{told}{errors}")
        print(f"{line}: {len(self.recorder.calls)} calls", file=sys.stderr, flush=True)
        return told

    def _kill(self, call):
        """Once it has its lease and has begun the history, and before it hears of that."""
        if b"/leases/" in call.body and call.name == "ssm:PutParameter":
            self.seen.add("lease")
        if call.name == "logs:PutLogEvents" and call.status < 300:
            self.seen.add("history")
        if len(self.seen) == 2:
            self.child.kill()
            self.child.wait()

    def _environment(self, account):
        given = self.account(ACCOUNTS[account], emulator.REGION)
        credentials = emulator.assumed(given, "Deployer") if account == "red" else emulator.told(given.credentials)
        return {
            "AWS_ACCESS_KEY_ID": credentials["access_key_id"],
            "AWS_SECRET_ACCESS_KEY": credentials["secret_access_key"],
            "AWS_SESSION_TOKEN": credentials["session_token"],
            "AWS_ENDPOINT_URL": self.server.endpoint,
            "AWS_EC2_METADATA_DISABLED": "true",
            "HOME": str(self.home),
            "USER": "anna",
            "TERM": "dumb",
            "LANG": "C.UTF-8",
        }

    def given(self):
        """What to write instead of what this computer and this run are called."""
        boot = pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return {
            **{number: f"@{{{name}}}" for name, number in ACCOUNTS.items()},
            self.registry.host: "@{registry}",
            f"anna@{socket.gethostname()}": "anna@laptop",
            boot: "6b7a2c1d-0000-4000-8000-5f3e9d8c7b6a",
            str(self.home): "/home/anna",
        }


def play(world):
    """Plays the story: the calls and what was told of each chapter, and when it was over."""
    world.prepare(ACCOUNTS)
    world.files()
    noted, told = {}, {}
    for chapter, lines in CHAPTERS.items():
        begin, told[chapter] = len(world.recorder.calls), {}
        for line in lines:
            answer = world.run(line)
            if line.startswith("? "):
                told[chapter][line.removeprefix("? ")] = json.loads(answer)
        noted[chapter] = world.recorder.calls[begin:]
    return noted, told, int(time.time())


def store(world, noted, told, clock, directory):
    """Writes the chapters' files, and those of the home directory."""
    texts = world.recording.Texts([call for calls in noted.values() for call in calls], world.given(), clock)
    names = {number: name for name, number in ACCOUNTS.items()}
    for chapter, calls in noted.items():
        lines = [json.dumps(texts.line(c, names), ensure_ascii=False) for c in calls if texts.wanted(c)]
        (directory / f"{chapter}.jsonl").write_text("".join(f"{line}\n" for line in lines))
        if told[chapter]:
            said = json.dumps(texts.value(told[chapter]), indent=1, ensure_ascii=False)
            (directory / f"{chapter}.told.json").write_text(f"{said}\n")
    shutil.copytree(UPGRADE / "story", directory / "files")
    configured = world.home / ".config/minion/config.yaml"
    (directory / "files/config.yaml").write_text(texts.text(configured.read_text()))


def verify(world, noted, clock, directory):
    """Makes all calls again, in other accounts: the same has to stand there."""
    import dump

    world.prepare(OTHERS)
    world.recorder.after = lambda _call: None
    names = stored.Names({"registry": world.registry.host, **OTHERS}, clock)

    def credentials(name, region):
        return world.account(OTHERS[name], region).credentials

    for chapter in noted:
        lines = (directory / f"{chapter}.jsonl").read_text().splitlines()
        replaying.replay(world.server.endpoint, lines, names, credentials)

    class Places:
        get = staticmethod(world.account)

    def stands(accounts):
        found = json.dumps(dump.Dump(Places).dump(accounts, emulator.REGIONS, {}, True))
        for name, number in accounts.items():
            found = found.replace(number, f"<{name}>")
        # AWS's own, which moto makes up for each account.
        found = re.sub(r"\bpl-[0-9a-f]+", "<prefix list>", found)
        for told, kept in ((str(world.home), "/home/anna"), (f"anna@{socket.gethostname()}", "anna@laptop")):
            found = found.replace(told, kept)
        return json.loads(found)

    first, second = stands(ACCOUNTS), stands(OTHERS)
    wrong = [
        f"{kind}: {name}\n  {first.get(kind, {}).get(name)}\n  {second.get(kind, {}).get(name)}"
        for kind in sorted({*first, *second})
        for name in sorted({*first.get(kind, {}), *second.get(kind, {})})
        if first.get(kind, {}).get(name) != second.get(kind, {}).get(name)
    ]
    if wrong:
        raise SystemExit("after the same calls in other accounts, another thing stands:\n" + "\n".join(wrong))


def main():
    version, binaries = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
    kept = UPGRADE / version
    if kept.exists():
        raise SystemExit(f"{kept} is kept for ever")
    with tempfile.TemporaryDirectory() as home, tempfile.TemporaryDirectory() as written:
        world = World(binaries, pathlib.Path(home))
        try:
            noted, told, clock = play(world)
            store(world, noted, told, clock, pathlib.Path(written))
            verify(world, noted, clock, pathlib.Path(written))
            shutil.copytree(written, kept)
        finally:
            os.close(world.held)
            world.registry.stop()
            world.images.close()


if __name__ == "__main__":
    main()
