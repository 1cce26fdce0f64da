"""moto with control paths: copied, prepared and dumped by requests. See `forking.py`."""

import gc
import json
import os
import traceback

from moto.moto_api._internal import mock_random

import dump
import emulator
import inside
import serving

PREFIX = "/_torture/"


class World:
    """The application with its control paths, and the server that it is served by."""

    def __init__(self, application, life, held):
        """life: ends when the first process does, which holds `held` to that end."""
        self.application, self.life, self.held = application, life, held
        self.accounts = inside.Accounts(inside.Inside(application))
        self.dumped = dump.Dump(self.accounts)
        inside.on_call(self.dumped.called)
        # Served as long as whoever started this keeps stdin open.
        self.server = serving.Server(self, serving.listening(), 0)

    def __call__(self, environ, start_response):
        path = environ["PATH_INFO"]
        if not path.startswith(PREFIX):
            return self.application(environ, start_response)
        try:
            do = {
                "fork": self.fork,
                "end": self.end,
                "seed": self.seed,
                "prepare": self.prepare,
                "assume": self.assume,
                "call": self.call,
                "dump": self.dump,
            }.get(path.removeprefix(PREFIX))
            if do is None:
                raise ValueError(f"no such path: {path}")
            status, answer = "200 OK", do(json.loads(environ["wsgi.input"].read() or b"{}"))
        except Exception as error:  # whatever it is, the asker gets to know
            traceback.print_exc()
            status, answer = "500 Internal Server Error", {"error": f"{type(error).__name__}: {error}"}
        start_response(status, [("Content-Type", "application/json")])
        return [json.dumps(answer, default=str).encode()]

    def fork(self, _request):
        """A copy of this process. Its socket is made here, so it may be called at once."""
        listener = serving.listening()
        endpoint = serving.endpoint(listener)
        # What stands now stays where it is: counted and collected, its pages would be copied.
        gc.freeze()
        pid = os.fork()
        if pid:
            listener.close()
            return {"endpoint": endpoint, "pid": pid}
        if self.held is not None:
            os.close(self.held)
            self.held = None
            serving.detach()
        self.server.leave()
        self.server.begin(listener, self.life)
        # Else two copies would give the same ids to different things, and a mistake with ids would not be seen.
        mock_random.seed()
        return {}

    def end(self, _request):
        self.server.ended = True
        return {}

    def account(self, request, region=None):
        return self.accounts.get(request["account"], region or request.get("region", emulator.REGION))

    def seed(self, request):
        return emulator.seeded(self.account(request), request)

    def prepare(self, request):
        regions = request.get("regions", emulator.REGIONS)
        return emulator.prepared([self.account(request, region) for region in regions])

    def assume(self, request):
        return emulator.assumed(self.account(request), request["role"])

    def call(self, request):
        return emulator.called(self.account(request), request)

    def dump(self, request):
        what = (request["accounts"], request["regions"], request.get("texts", {}))
        return self.dumped.dump(*what, request.get("fresh", False))

    def warm(self):
        """Makes in the first process what each copy would have to make: clients, descriptions of services."""
        regions = emulator.REGIONS
        request = {"account": "999999999999"}
        self.prepare(request)
        for number, region in enumerate(regions):
            self.seed({"account": f"99999999990{number}", "region": region})
        self.dump({"accounts": {"warm": request["account"]}, "regions": regions})
        gc.collect()
        gc.freeze()
