"""A little server on loopback that speaks the OpenAI chat protocol, or misbehaves as a test asks."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

JSON = "application/json"
EVENTS = "text/event-stream"


class Script:
    """What the server says to each path; a test changes it while the server runs."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, Any, dict[str, str]]] = []
        """Method, path, body and headers of each request, in order."""
        self.answers: dict[str, Callable[[Handler, Any], None]] = {}
        self.gone = threading.Event()
        """Set when a client has dropped a connection while the server wrote or waited."""

    def bodies(self, path: str = "/v1/chat/completions") -> list[Any]:
        return [body for _, seen, body, _ in self.seen if seen == path]

    def serves(self, *models: dict[str, Any]) -> None:
        self.answers["/v1/models"] = with_json({"object": "list", "data": list(models)})

    def replies(self, how: Callable[["Handler", Any], None]) -> None:
        self.answers["/v1/chat/completions"] = how


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    script: Script

    def do_GET(self) -> None:
        self.respond(None)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.respond(json.loads(body) if body else None)

    def respond(self, body: Any) -> None:
        self.script.seen.append((self.command, self.path, body, dict(self.headers)))
        answer = self.script.answers.get(self.path)
        try:
            if answer is None:
                self.send(404, JSON, b'{"error": {"message": "no such path"}}')
            else:
                answer(self, body)
        except (BrokenPipeError, ConnectionResetError):
            self.script.gone.set()
            self.close_connection = True

    def send(self, status: int, kind: str, body: bytes, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def begin(self, kind: str = EVENTS) -> None:
        """Begin an answer that ends when the connection does."""
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True

    def wait_for_the_drop(self, seconds: float = 20) -> None:
        """Say nothing until the client has gone."""
        self.connection.settimeout(seconds)
        if self.connection.recv(1) == b"":
            self.script.gone.set()
        self.close_connection = True

    def write(self, data: bytes, piece: int = 0, pause: float = 0) -> None:
        for start in range(0, len(data), piece or len(data)):
            self.wfile.write(data[start : start + (piece or len(data))])
            self.wfile.flush()
            time.sleep(pause)

    def log_message(self, format: str, *args: Any) -> None:
        pass


def event(value: Any) -> bytes:
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n".encode()


def delta(text: str = "", **more: Any) -> bytes:
    return event({"choices": [{"index": 0, "delta": ({"content": text} if text else {}) | more}]})


def end(reason: str = "stop", prompt_tokens: int = 21, completion_tokens: int = 3) -> bytes:
    usage = {"prompt_tokens": prompt_tokens, "completion_tokens": completion_tokens}
    return (
        event({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
        + event({"choices": [], "usage": usage})
        + b"data: [DONE]\n\n"
    )


def with_json(value: Any, status: int = 200, **headers: str) -> Callable[[Handler, Any], None]:
    return lambda handler, _: handler.send(status, JSON, json.dumps(value).encode(), **headers)


def with_events(*events: bytes, piece: int = 0, pause: float = 0) -> Callable[[Handler, Any], None]:
    def answer(handler: Handler, _: Any) -> None:
        handler.begin()
        handler.write(b"".join(events), piece, pause)

    return answer


def one_after_the_other(*answers: Callable[[Handler, Any], None]) -> Callable[[Handler, Any], None]:
    """The first answer to the first request, and so on; the last one from then on."""
    left = list(answers)
    return lambda handler, body: (left.pop(0) if len(left) > 1 else left[0])(handler, body)


@contextmanager
def loopback_server() -> Iterator[tuple[str, Script]]:
    """Serve on a free port; the address and the script."""
    script = Script()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"script": script}))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", script
    finally:
        server.shutdown()
        server.server_close()
