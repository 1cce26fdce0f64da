"""An emulator whose whole state is copied in some milliseconds: moto in one process of one thread, copied by fork().

Run by moto's own Python. Prints one line of JSON: {"endpoint", "pid", "registry"}. It ends, and all its copies with it,
when its stdin ends or it does.

Each copy listens on a port of its own. These paths, which no AWS API has, control it (POST, with JSON):
- /_torture/fork: a copy with the same state, {"endpoint", "pid"}; it outlives the one that it is a copy of
- /_torture/end: ends this one, and no other
- /_torture/seed, /prepare, /assume, /call: what `emulator.py` does by these names
- /_torture/dump {"accounts": {"red": "100000000001"}, "regions": ["eu-west-1"]}: all that stands in these accounts, see
  `dump.py`. More words: "texts": {"/tmp/x": "<home>"} are written otherwise, "fresh": true believes nothing that was
  read before. A state that is dumped before it is copied has copies that are dumped sooner.
What cannot be done is answered with status 500 and {"error"}.
"""

import json
import os
import signal
import sys

import emulator
import registry
import serving


def start_registry(life, held):
    """The container registry, in a process of its own, which threads in it do not keep from being copied; its host."""
    told, tell = os.pipe()
    if os.fork():
        os.close(tell)
        with os.fdopen(told) as answer:
            return answer.read()
    os.close(told)
    os.close(held)
    serving.detach()
    with os.fdopen(tell, "w") as answer:
        answer.write(registry.start().host)
    os.read(life, 1)
    os._exit(0)


def main():
    # Ctrl-C reaches everybody in the terminal's group; what started us decides when we end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    # Copies are not waited for.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    # The copies live as long as this process holds its end of the pipe.
    life, held = os.pipe()
    host = start_registry(life, held)
    images = emulator.images()
    wanted = emulator.environment(images)
    os.environ.clear()
    os.environ.update(wanted)
    # moto reads its settings when it is imported.
    import inside
    import world

    first = world.World(inside.application(), life, held)
    first.warm()
    ready = {"endpoint": first.server.endpoint, "pid": os.getpid(), "registry": host}
    print(json.dumps(ready), flush=True)
    pid = os.getpid()
    try:
        first.server.run()
    finally:
        if os.getpid() != pid:
            # A copy must not clean up after the first process, whose files are still in use.
            os._exit(0)


if __name__ == "__main__":
    main()
