"""A hub on this machine: enough of its interface for a model to be looked up and downloaded."""

import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import repeat
from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class LoopbackHub:
    """Serves folders as repositories. `requests` tells what was asked for; PART is a GET of some of the bytes."""

    def __init__(self, repositories: dict[str, Path]) -> None:
        self.repositories = repositories
        self.requests: list[str] = []
        self.gated: set[str] = set()
        self.slow = threading.Event()
        """While set, weights come one piece at a time and never end."""
        self.delays: Iterator[float] = repeat(0.0)
        """How long each answer takes to begin."""
        self.bytes_per_second = 0
        """How fast each file comes; 0 is as fast as can be."""
        self.refuses_with = 0
        """The status of every answer, where there is to be no other."""
        self.token = ""
        """The one that is asked for; empty asks for none."""
        self.url = ""


@contextmanager
def loopback_hub(repositories: dict[str, Path]) -> Iterator[LoopbackHub]:
    """Serve these folders until the end of the block."""
    hub = LoopbackHub(repositories)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:
            pass

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            hub.requests.append(f"{'PART' if self.headers.get('Range') else self.command} {path}")
            time.sleep(next(hub.delays))
            if hub.refuses_with:
                return self.refuse(hub.refuses_with, "")
            if hub.token and self.headers.get("Authorization", "") != f"Bearer {hub.token}":
                return self.refuse(401, "", "Invalid credentials in Authorization header")
            for name, folder in hub.repositories.items():
                if path.startswith(f"/api/models/{name}/tree/"):
                    return self.answer(json.dumps([described(file) for file in files(folder)]).encode())
                if path.startswith(f"/api/models/{name}"):
                    siblings = [listed(file) for file in files(folder)]
                    return self.answer(json.dumps({"id": name, "sha": COMMIT, "siblings": siblings}).encode())
                if path.startswith(f"/{name}/resolve/"):
                    return self.file(folder / path.rpartition("/")[2], name)
            return self.refuse(404, "RepoNotFound")

        def file(self, file: Path, name: str) -> None:
            if name in hub.gated:
                return self.refuse(403, "GatedRepo")
            headers = {"X-Repo-Commit": COMMIT, "ETag": f'"{etag(file)}"'}
            content = file.read_bytes()
            if not (hub.slow.is_set() and file.suffix == ".safetensors" and self.command == "GET"):
                return self.answer(content, headers)
            self.begin(200, len(content), headers)
            self.wfile.write(content[: len(content) // 2])
            self.wfile.flush()
            while hub.slow.is_set():
                threading.Event().wait(0.01)
            self.close_connection = True
            return None

        def answer(self, content: bytes, headers: dict[str, str] | None = None) -> None:
            self.begin(200, len(content), headers or {"Content-Type": "application/json"})
            if self.command == "GET":
                self.pour(content)

        def pour(self, content: bytes) -> None:
            """Send it as fast as the hub is to be."""
            piece = hub.bytes_per_second // 20 or len(content)
            for begin in range(0, len(content), max(1, piece)):
                self.wfile.write(content[begin : begin + piece])
                if hub.bytes_per_second:
                    time.sleep(0.05)

        def refuse(self, status: int, code: str, message: str = "") -> None:
            self.begin(status, 0, {"X-Error-Code": code, "X-Error-Message": message or code})

        def begin(self, status: int, length: int, headers: dict[str, str]) -> None:
            self.send_response(status)
            for key, value in {**headers, "Content-Length": str(length)}.items():
                self.send_header(key, value)
            self.end_headers()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield hub
    finally:
        hub.slow.clear()
        server.shutdown()
        server.server_close()


def files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.iterdir() if file.is_file())


def etag(file: Path) -> str:
    """As the hub's: of all that is in the file."""
    return hashlib.sha1(file.read_bytes()).hexdigest()


def listed(file: Path) -> dict[str, object]:
    """As the hub does in a list of what is in a repository."""
    return {"rfilename": file.name, "size": file.stat().st_size, "blobId": etag(file)}


def described(file: Path) -> dict[str, object]:
    return {"type": "file", "path": file.name, "size": file.stat().st_size, "oid": etag(file)}
