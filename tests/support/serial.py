"""Calls come at the same time, and are answered one after another.

What moto looks at and then writes may not change in between, as on AWS, where of two PutParameter without overwriting one
fails; and moto's dictionaries break when one call goes through them while another one writes.
"""

import io
import threading


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
