"""A container registry (v2) on loopback, with a few real images in it.

Debian's `docker-registry` when its path is given, filled by plain HTTP; else a read-only one, below.
"""

import gzip
import hashlib
import http.server
import io
import json
import os
import re
import shutil
import socket
import subprocess
import tarfile
import tempfile
import threading
import time
import urllib.error
import urllib.request

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"

# Repository, tag, architectures. `single` is an image without an index, as `docker build` pushes it.
IMAGES = [
    ("hello-world", "0.1", ["amd64", "arm64"]),
    ("hello-world", "0.2", ["amd64", "arm64"]),
    ("hello-world", "arm", ["arm64"]),
    ("hello-world", "single", "amd64"),
    ("tools/echo", "1.0", ["amd64", "arm64"]),
]


class Content:
    """Blobs and manifests by digest, tags by repository."""

    def __init__(self):
        self.blobs, self.manifests, self.tags = {}, {}, {}
        for repository, tag, architectures in IMAGES:
            if isinstance(architectures, str):
                descriptor = self._image(repository, tag, architectures)
            else:
                children = [self._image(repository, tag, a) for a in architectures]
                descriptor = self._manifest(INDEX, {"schemaVersion": 2, "mediaType": INDEX, "manifests": children})
            self.tags.setdefault(repository, {})[tag] = descriptor["digest"]

    def _blob(self, media_type, data):
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        self.blobs[digest] = data
        return {"mediaType": media_type, "digest": digest, "size": len(data)}

    def _manifest(self, media_type, document):
        data = json.dumps(document).encode()
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        self.manifests[digest] = (media_type, data)
        return {"mediaType": media_type, "digest": digest, "size": len(data)}

    def _image(self, repository, tag, architecture):
        tar = _web_server(f"Hello, this is {repository} {tag}.\n")
        layer = self._blob(LAYER, gzip.compress(tar, mtime=0))
        command = ["/busybox", "httpd", "-f", "-p", "8080", "-h", "/www"]
        document = {
            "architecture": architecture,
            "os": "linux",
            "config": {"Cmd": command, "ExposedPorts": {"8080/tcp": {}}},
            "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(tar).hexdigest()]},
        }
        config = self._blob(CONFIG, json.dumps(document).encode())
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer]}
        return {**self._manifest(MANIFEST, manifest), "platform": {"architecture": architecture, "os": "linux"}}

    def names(self):
        return [f"{repository}:{tag}" for repository, tags in self.tags.items() for tag in tags]


def _web_server(text):
    """A layer: a page, and busybox to serve it where this machine has one."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        page = tarfile.TarInfo("www/index.html")
        page.size = len(text)
        tar.addfile(page, io.BytesIO(text.encode()))
        busybox = shutil.which("busybox")
        if busybox:
            with open(busybox, "rb") as program:
                entry = tarfile.TarInfo("busybox")
                entry.size, entry.mode = os.path.getsize(busybox), 0o755
                tar.addfile(entry, program)
    return out.getvalue()


class BuiltIn:
    """A read-only registry."""

    program = "built-in"

    def __init__(self):
        self.content = Content()
        self.images = self.content.names()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(self.content))
        self.host = f"127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()


def _handler(content):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_arguments):
            pass

        def do_HEAD(self):
            self.do_GET()

        def do_GET(self):
            path = self.path.split("?")[0]
            if path in ("/v2/", "/v2"):
                return self.reply(200, "application/json", b"{}")
            if path == "/v2/_catalog":
                return self.json({"repositories": sorted(content.tags)})
            found = re.fullmatch(r"/v2/(.+)/(manifests|blobs|tags)/([^/]+)", path)
            if not found:
                return self.missing("UNSUPPORTED", "no such path")
            repository, kind, name = found.groups()
            if repository not in content.tags:
                return self.missing("NAME_UNKNOWN", "repository name not known to registry")
            tags = content.tags[repository]
            if kind == "tags":
                return self.json({"name": repository, "tags": sorted(tags)})
            digest = tags.get(name, name)
            if kind == "blobs" and digest in content.blobs:
                return self.reply(200, "application/octet-stream", content.blobs[digest], digest)
            if kind == "manifests" and digest in content.manifests:
                return self.reply(200, *content.manifests[digest], digest)
            return self.missing("MANIFEST_UNKNOWN", "manifest unknown")

        def json(self, document):
            self.reply(200, "application/json", json.dumps(document).encode())

        def missing(self, code, message):
            errors = {"errors": [{"code": code, "message": message}]}
            self.reply(404, "application/json", json.dumps(errors).encode())

        def reply(self, status, media_type, body, digest=None):
            self.send_response(status)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Docker-Distribution-Api-Version", "registry/2.0")
            if digest:
                self.send_header("Docker-Content-Digest", digest)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

    return Handler


class Debian:
    """The real `docker-registry`, with our images pushed into it."""

    program = "docker-registry"

    def __init__(self, path):
        self.directory = tempfile.mkdtemp(prefix="registry-")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.host = f"127.0.0.1:{free.getsockname()[1]}"
        config = os.path.join(self.directory, "config.yml")
        with open(config, "w", encoding="utf-8") as out:
            out.write(
                "version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\n"
                f"storage: {{filesystem: {{rootdirectory: {self.directory}/data}}}}\n"
                f"http: {{addr: '{self.host}'}}\n"
            )
        self.process = subprocess.Popen(
            [path, "serve", config], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            self._wait()
            content = Content()
            self.images = content.names()
            for repository, tags in content.tags.items():
                self._push(content, repository, tags)
        except BaseException:
            self.stop()
            raise

    def _wait(self):
        for _ in range(100):
            if self.process.poll() is not None:
                raise RuntimeError(f"docker-registry ended with {self.process.returncode}")
            try:
                return urllib.request.urlopen(f"http://{self.host}/v2/", timeout=5).close()
            except urllib.error.URLError:
                time.sleep(0.1)
        raise RuntimeError("docker-registry does not answer within 10 s")

    def _push(self, content, repository, tags):
        base = f"http://{self.host}/v2/{repository}"
        for digest, data in content.blobs.items():
            with _send("POST", f"{base}/blobs/uploads/") as started:
                location = started.headers["Location"]
            mark = "&" if "?" in location else "?"
            _send("PUT", f"{location}{mark}digest={digest}", data, "application/octet-stream").close()
        # Images before the indices that name them.
        for digest, (media_type, data) in sorted(content.manifests.items(), key=lambda m: m[1][0] == INDEX):
            _send("PUT", f"{base}/manifests/{digest}", data, media_type).close()
        for tag, digest in tags.items():
            media_type, data = content.manifests[digest]
            _send("PUT", f"{base}/manifests/{tag}", data, media_type).close()

    def stop(self):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)


def _send(method, url, data=b"", media_type=None):
    request = urllib.request.Request(url, data=data, method=method)
    if media_type:
        request.add_header("Content-Type", media_type)
    return urllib.request.urlopen(request, timeout=30)


def start(program=None):
    """Starts `program` (the path of docker-registry), or the built-in registry."""
    return Debian(program) if program else BuiltIn()
