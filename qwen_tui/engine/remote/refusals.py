"""Why a server did not answer as asked, in plain words."""

import httpx2

from qwen_tui.chat.messages import Json
from qwen_tui.engine.redaction import one_line
from qwen_tui.engine.remote.calls import Answer
from qwen_tui.engine.remote.keys import VARIABLE
from qwen_tui.errors import QwenTuiError

BUSY = (429, 502, 503, 504)
"""What may be different in a moment."""

LOST = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.NetworkError, httpx2.RemoteProtocolError)
"""The same, of a request that got no answer. One that was met with silence is not repeated: it may be at work."""

_CODES = {
    401: "server.key_wanted",
    403: "server.forbidden",
    404: "server.not_found",
    429: "server.busy",
    502: "server.behind_gateway",
    503: "server.behind_gateway",
    504: "server.behind_gateway",
}


def refusal(answer: Answer, host: str) -> QwenTuiError:
    """The error for an answer that is not what was asked for."""
    detail = said(answer)
    if 300 <= answer.status < 400:
        place = one_line(answer.headers.get("location", ""))
        return QwenTuiError("server.redirects", host=host, place=place or "?")
    if answer.status in _CODES:
        return QwenTuiError(_CODES[answer.status], host=host, variable=VARIABLE, detail=detail)
    if answer.status in (400, 413, 422):
        return QwenTuiError("server.refused", host=host, detail=detail)
    if answer.status >= 400:
        return QwenTuiError("server.failed", host=host, status=answer.status, detail=detail)
    return QwenTuiError("server.garbled", host=host)


def unreachable(error: Exception, host: str) -> QwenTuiError:
    """The error for a request that got no answer."""
    if isinstance(error, httpx2.ConnectTimeout | httpx2.ConnectError | httpx2.ProxyError):
        return QwenTuiError("server.unreachable", host=host, detail=_why(error))
    if isinstance(error, TimeoutError | httpx2.TimeoutException):
        return QwenTuiError("server.silent", host=host)
    if isinstance(error, httpx2.SSEError | httpx2.DecodingError):
        return QwenTuiError("server.garbled", host=host)
    return QwenTuiError("server.broke_off", host=host, detail=_why(error))


def said(answer: Answer) -> str:
    """What the server says of it, in one line; its status where it says nothing."""
    told = told_of(answer.json)
    is_text = answer.headers.get("content-type", "").startswith("text/plain")
    if not told and is_text:
        told = answer.body[:2000].decode(errors="replace")
    return one_line(told) or f"HTTP {answer.status}"


def told_of(value: Json) -> str:
    """The message in an error as the servers write it: `{"error": {"message": …}}`, `{"detail": [{"msg": …}]}`."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "; ".join(filter(None, map(told_of, value[:4])))
    if isinstance(value, dict):
        for key in ("error", "message", "msg", "detail"):
            if value.get(key):
                return told_of(value[key])
    return ""


def _why(error: Exception) -> str:
    return one_line(str(error) or type(error).__name__)
