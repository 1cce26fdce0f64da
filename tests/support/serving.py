"""A small HTTP/1.1 server for one WSGI application: one thread, connections kept alive, one request after another.

One thread, so that the process can be copied by fork() at any moment between two requests.
"""

import io
import os
import re
import selectors
import socket
import sys
import traceback
import urllib.parse

# Seconds until a client that does not read is left alone.
PATIENCE = 10
LARGEST_HEAD = 1 << 16
LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)", re.IGNORECASE)
CHUNKED = re.compile(rb"\r\ntransfer-encoding:[ \t]*chunked", re.IGNORECASE)
EXPECTED = re.compile(rb"\r\nexpect:[ \t]*100-continue", re.IGNORECASE)


def listening():
    """A socket on a free port of loopback."""
    return socket.create_server(("127.0.0.1", 0), backlog=256)


def endpoint(listener):
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


def detach():
    """In a copy of a process: stdin and stdout are the first one's."""
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    os.close(null)


class Connection:
    """A client, and what it has sent so far."""

    def __init__(self, stream):
        self.stream, self.received, self.told_to_go_on = stream, b"", False

    def request(self):
        """The next whole request: head and body; none while some of it is missing."""
        end = self.received.find(b"\r\n\r\n")
        if end < 0:
            if len(self.received) > LARGEST_HEAD:
                raise ValueError("the head of a request is too long")
            return None
        head, start = self.received[:end], end + 4
        if CHUNKED.search(head):
            taken = _dechunked(self.received, start)
        else:
            length = LENGTH.search(head)
            stop = start + (int(length.group(1)) if length else 0)
            taken = (self.received[start:stop], stop) if len(self.received) >= stop else None
        if taken is None:
            if EXPECTED.search(head) and not self.told_to_go_on:
                self.told_to_go_on = True
                self.stream.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            return None
        body, stop = taken
        self.received, self.told_to_go_on = self.received[stop:], False
        return head, body


def _dechunked(received, at):
    """The body and where it ends; none while some of it is missing."""
    body = []
    while True:
        end = received.find(b"\r\n", at)
        if end < 0:
            return None
        size = int(received[at:end].split(b";")[0], 16)
        at = end + 2 + size + 2
        if len(received) < at:
            return None
        if size == 0:
            return b"".join(body), at
        body.append(received[at - size - 2 : at - 2])


def environment(method, target, body, protocol="HTTP/1.1"):
    """What WSGI and moto want to know of a request, but for its headers."""
    path, _, query = target.partition("?")
    return {
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": urllib.parse.unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "REQUEST_URI": target,
        "RAW_URI": target,
        "REMOTE_ADDR": "127.0.0.1",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": protocol,
        "CONTENT_LENGTH": str(len(body)),
    }


def environ_of(head, body):
    """The same of a request as it was sent."""
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, protocol = first.split(" ", 2)
    environ = environment(method, target, body, protocol)
    for line in lines:
        name, _, value = line.partition(":")
        key = name.upper().replace("-", "_")
        # The body has been put together already.
        if key == "TRANSFER_ENCODING":
            continue
        if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            key = f"HTTP_{key}"
        value = value.strip()
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    environ["CONTENT_LENGTH"] = str(len(body))
    return environ


def answered(application, environ):
    """What the application answers: status line, headers, body."""
    started = []
    try:
        parts = application(environ, lambda status, headers, _error=None: started.append((status, headers)))
        try:
            body = b"".join(parts)
        finally:
            if hasattr(parts, "close"):
                parts.close()
        return (*started[-1], body)
    except Exception:  # as any server: the others must go on
        text = traceback.format_exc()
        print(environ["REQUEST_METHOD"], environ["RAW_URI"], text, file=sys.stderr, flush=True)
        return "500 Internal Server Error", [("Content-Type", "text/plain")], text.encode()


def _written(environ, status, headers, body):
    """An answer's bytes."""
    lines = [f"HTTP/1.1 {status}"]
    without = environ["REQUEST_METHOD"] == "HEAD"
    for name, value in headers:
        if name.lower() not in ("content-length", "connection", "transfer-encoding") or (
            without and name.lower() == "content-length"
        ):
            lines.append(f"{name}: {value}")
    if not without and not status.startswith(("204", "304")):
        lines.append(f"Content-Length: {len(body)}")
    head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
    return head if without else head + body


class Server:
    """Serves an application on a listening socket, until `ended` or until the pipe `life` ends."""

    def __init__(self, application, listener, life):
        self.application, self.ended = application, False
        self.begin(listener, life)

    def begin(self, listener, life):
        """Starts anew, as a copy of another process does: with this socket, and without any client."""
        self.listener, self.life = listener, life
        self.selector = selectors.PollSelector()
        self.connections = set()
        self.selector.register(listener, selectors.EVENT_READ)
        self.selector.register(life, selectors.EVENT_READ)
        self.endpoint = endpoint(listener)

    def leave(self):
        """In a copy of the process: closes what belongs to the original."""
        self.selector.close()
        self.listener.close()
        for connection in self.connections:
            connection.stream.close()

    def run(self):
        while not self.ended:
            # Forked in the midst of this loop, it goes on with the other selector's events.
            for key, _ in self.selector.select():
                if key.fileobj is self.life:
                    # Nobody writes into it, but whoever talks to the first process may.
                    if not os.read(self.life, 4096):
                        return
                elif key.fileobj is self.listener:
                    self._accept()
                else:
                    selector = self.selector
                    self._read(key.data)
                    if self.selector is not selector:
                        break

    def _accept(self):
        try:
            stream, _ = self.listener.accept()
        except OSError:
            return
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        stream.settimeout(PATIENCE)
        connection = Connection(stream)
        self.connections.add(connection)
        self.selector.register(stream, selectors.EVENT_READ, connection)

    def _read(self, connection):
        try:
            received = connection.stream.recv(1 << 18)
            connection.received += received
            while received and (request := connection.request()):
                environ = environ_of(*request)
                answer = answered(self.application, environ)
                if connection not in self.connections:
                    return
                connection.stream.sendall(_written(environ, *answer))
                if environ.get("HTTP_CONNECTION", "").lower() == "close" or environ["SERVER_PROTOCOL"] == "HTTP/1.0":
                    received = b""
        except (OSError, ValueError):
            received = b""
        if not received:
            self._drop(connection)

    def _drop(self, connection):
        self.connections.discard(connection)
        self.selector.unregister(connection.stream)
        connection.stream.close()
