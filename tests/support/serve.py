"""`moto_server`, quicker and repaired where our binaries need it (`repaired.py`), that writes calls down (`calls.py`).

Calls come at the same time, and are answered one after another: what moto looks at and then writes may not change in
between, as on AWS, where of two PutParameter without overwriting one fails.
"""

import io
import sys
import threading

import moto.server

import calls
import repaired


def one_after_another(application):
    """An application whose calls do not overlap. Nobody waits for a client's body meanwhile."""
    lock = threading.Lock()

    class OneAfterAnother(application):
        def __call__(self, environ, start_response):
            length = environ.get("CONTENT_LENGTH")
            if length:
                environ["wsgi.input"] = io.BytesIO(environ["wsgi.input"].read(int(length)))
            with lock:
                return super().__call__(environ, start_response)

    return OneAfterAnother


repaired.apply()
application = moto.server.DomainDispatcherApplication
moto.server.DomainDispatcherApplication = calls.recorded(one_after_another(application))
sys.exit(moto.server.main(sys.argv[1:]))
