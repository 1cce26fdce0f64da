"""What the host gave this machine: a tar on a disk of its own, laid out in /run/boot-proof, and where logs are kept."""

import contextlib
import json
import os
import socket
import tarfile
import time

DISK = "/dev/disk/by-id/virtio-scenario"
PLACE = "/run/boot-proof"
# The programs that user data finds.
PATH = "/opt/boot-proof/path"
# Outlives a reboot: the stand-ins count calls over all boots.
LOGS = "/var/lib/boot-proof"


def lay_out():
    """Extracts the disk. It is here before the first stand-in starts, within a minute."""
    deadline = time.monotonic() + 60
    while not os.path.exists(DISK):
        if time.monotonic() > deadline:
            raise SystemExit(f"{DISK} did not appear")
        time.sleep(0.1)
    os.makedirs(PLACE, exist_ok=True)
    os.makedirs(LOGS, exist_ok=True)
    with tarfile.open(DISK) as archive:
        archive.extractall(PLACE)
    for program in load().get("without", []):
        with contextlib.suppress(FileNotFoundError):
            os.remove(f"{PATH}/{program}")


def load():
    """The scenario, as tests/boot/scenarios has it."""
    with open(f"{PLACE}/scenario.json", encoding="utf-8") as file:
        return json.load(file)


def log(name, entry):
    """Appends one JSON line."""
    with open(f"{LOGS}/{name}.log", "a", encoding="utf-8") as file:
        file.write(json.dumps(entry) + "\n")


def entries(name):
    """What was logged under this name."""
    try:
        with open(f"{LOGS}/{name}.log", encoding="utf-8") as file:
            return [json.loads(line) for line in file]
    except FileNotFoundError:
        return []


def ready():
    """Tells systemd that this service answers (sd_notify(3))."""
    address = os.environ.get("NOTIFY_SOCKET")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.connect("\0" + address[1:] if address[0] == "@" else address)
            notify.sendall(b"READY=1")


if __name__ == "__main__":
    lay_out()
