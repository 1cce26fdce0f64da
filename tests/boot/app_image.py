"""app_image.py ROOT: container images, written into the storage of the registry in this root file system; their
digests on stdout, as JSON. Same bytes for the same busybox."""

import gzip
import hashlib
import io
import json
import pathlib
import sys
import tarfile

APPLETS = ["sh", "cat", "httpd", "id", "sleep"]
# What it says and writes shows who it is, how often it was started, and where its file systems are. /data is there only
# where a file system is mounted on it.
START = """#!/bin/sh
for directory in /data /tmp; do
    if [ -d "$directory" ]; then echo started >>"$directory/starts" || exit 3; fi
done
echo "hello from $(id -u):$(id -g)"
exec httpd -f -p "${PORT:-8080}" -h /www
"""
# More than the virtual machine's disk has room for; as gzip it is small.
LARGE = 1 << 29
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG = "application/vnd.docker.container.image.v1+json"
LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"


class Zeros(io.RawIOBase):
    """So many zero bytes."""

    def __init__(self, left):
        self.left = left

    def readable(self):
        return True

    def readinto(self, buffer):
        size = min(len(buffer), self.left)
        buffer[:size] = bytes(size)
        self.left -= size
        return size


class Counted(io.RawIOBase):
    """Passes on what is written; knows its digest."""

    def __init__(self, to):
        self.to, self.digest = to, hashlib.sha256()

    def writable(self):
        return True

    def write(self, data):
        self.digest.update(data)
        return self.to.write(data)


def layer(files, zeros=0):
    """A layer: (compressed bytes, digest of the bytes that are not)."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0, compresslevel=6) as stream:
        counted = Counted(stream)
        with tarfile.open(fileobj=counted, mode="w|", format=tarfile.GNU_FORMAT) as archive:
            for name, (kind, mode, content) in files.items():
                entry = tarfile.TarInfo(name)
                entry.type, entry.mode = kind, mode
                if kind == tarfile.SYMTYPE:
                    entry.linkname = content
                    archive.addfile(entry)
                else:
                    entry.size = len(content)
                    archive.addfile(entry, io.BytesIO(content))
            if zeros:
                entry = tarfile.TarInfo("zeros")
                entry.size, entry.mode = zeros, 0o644
                archive.addfile(entry, io.BufferedReader(Zeros(zeros), 1 << 20))
    return packed.getvalue(), "sha256:" + counted.digest.hexdigest()


class Store:
    """The files of the reference registry (its "filesystem" driver, layout v2)."""

    def __init__(self, root):
        self.root = root / "docker/registry/v2"

    def blob(self, data):
        digest = hashlib.sha256(data).hexdigest()
        self._write(f"blobs/sha256/{digest[:2]}/{digest}/data", data)
        return f"sha256:{digest}"

    def link(self, repository, where, digest):
        self._write(f"repositories/{repository}/{where}/link", digest.encode())

    def image(self, repository, tag, layers):
        """Stores an image; its digest."""
        config = {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Entrypoint": ["/bin/sh", "/start"]},
            "rootfs": {"type": "layers", "diff_ids": [plain for _, plain in layers]},
        }
        config = json.dumps(config).encode()
        described = [self._described(repository, CONFIG, config)]
        described += [self._described(repository, LAYER, packed) for packed, _ in layers]
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": described[0], "layers": described[1:]}
        digest = self.blob(json.dumps(manifest).encode())
        hexadecimal = digest.removeprefix("sha256:")
        self.link(repository, f"_manifests/revisions/sha256/{hexadecimal}", digest)
        self.link(repository, f"_manifests/tags/{tag}/current", digest)
        self.link(repository, f"_manifests/tags/{tag}/index/sha256/{hexadecimal}", digest)
        return digest

    def _described(self, repository, kind, data):
        digest = self.blob(data)
        self.link(repository, f"_layers/{digest.replace(':', '/')}", digest)
        return {"mediaType": kind, "size": len(data), "digest": digest}

    def _write(self, name, data):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def main():
    root = pathlib.Path(sys.argv[1])
    busybox = (root / "bin/busybox").read_bytes()
    files = {name: (tarfile.DIRTYPE, 0o755, b"") for name in ("bin", "www")}
    files["tmp"] = (tarfile.DIRTYPE, 0o1777, b"")
    files["bin/busybox"] = (tarfile.REGTYPE, 0o755, busybox)
    files |= {f"bin/{name}": (tarfile.SYMTYPE, 0o777, "busybox") for name in APPLETS}
    files["start"] = (tarfile.REGTYPE, 0o755, START.encode())
    files["www/health"] = (tarfile.REGTYPE, 0o644, b"well\n")
    store = Store(root / "var/lib/boot-proof/registry")
    hello = layer(files)
    digests = {
        "hello": store.image("hello", "1.0", [hello]),
        "large": store.image("large", "1.0", [hello, layer({}, LARGE)]),
    }
    # One that the registry never had.
    digests["missing"] = "sha256:" + "0" * 64
    print(json.dumps(digests))


if __name__ == "__main__":
    main()
