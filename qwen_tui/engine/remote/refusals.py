"""Turn a server's refusals and network failures into errors for the user."""

import errno
import os
import re
import ssl
from collections.abc import Iterator

import httpx2

from qwen_tui.chat.messages import Json
from qwen_tui.engine.redaction import one_line
from qwen_tui.engine.remote.api_key import VARIABLE
from qwen_tui.engine.remote.http_calls import Answer
from qwen_tui.errors import QwenTuiError

BUSY = (429, 502, 503, 504)
"""Statuses of temporary failures."""

LOST = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.NetworkError, httpx2.RemoteProtocolError)
"""Failures that may be temporary. A timeout while waiting is not retried: the server may be working on it."""

_TOO_LONG = re.compile(
    r"context[ _-](?:length|size|window)|too many tokens|prompt is too long", re.IGNORECASE
)
"""How various servers say that a prompt exceeds the context window."""

_WINDOW = re.compile(r"context (?:length|size|window)\D{1,20}(\d[\d,]*)", re.IGNORECASE)

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
    """Return the error for a response that is not the expected one."""
    detail = said(answer)
    if 300 <= answer.status < 400:
        place = one_line(answer.headers.get("location", ""))
        return QwenTuiError("server.redirects", host=host, place=place or "?")
    if answer.status in _CODES:
        return QwenTuiError(_CODES[answer.status], host=host, variable=VARIABLE, detail=detail)
    if answer.status in (400, 413, 422):
        code = "server.too_long" if _TOO_LONG.search(detail) else "server.refused"
        return QwenTuiError(code, host=host, detail=detail)
    if answer.status >= 400:
        return QwenTuiError("server.failed", host=host, status=answer.status, detail=detail)
    return QwenTuiError("server.garbled", host=host)


def unreachable(error: Exception, host: str, *, has_begun: bool = False) -> QwenTuiError:
    """Return the error for a missing response or, if the reply `has_begun`, an incomplete one."""
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return QwenTuiError("server.bad_certificate", host=host, detail=one_line(cause.verify_message))
    if isinstance(error, httpx2.ConnectError) and any(isinstance(cause, ssl.SSLError) for cause in causes):
        return QwenTuiError("server.no_tls", host=host, detail=_why(error))
    if isinstance(error, httpx2.ConnectTimeout | httpx2.ConnectError | httpx2.ProxyError):
        return QwenTuiError("server.unreachable", host=host, detail=_why(error))
    if isinstance(error, TimeoutError | httpx2.TimeoutException):
        return QwenTuiError("server.stalled" if has_begun else "server.silent", host=host)
    if isinstance(error, httpx2.SSEError | httpx2.DecodingError):
        return QwenTuiError("server.garbled", host=host)
    code = "server.broke_off" if has_begun else "server.no_answer"
    return QwenTuiError(code, host=host, detail=_why(error))


def told_window(refusal: QwenTuiError) -> int:
    """Return the context window in tokens stated by a refusal of a long prompt, or 0."""
    found = _WINDOW.search(str(refusal.parameters["detail"]))
    return int(found[1].replace(",", "")) if found else 0


def said(answer: Answer) -> str:
    """Return the server's error message as one line, or the HTTP status if there is none."""
    told = told_of(answer.json)
    if not told and answer.headers.get("content-type", "").startswith("text/plain"):
        told = answer.body[:2000].decode(errors="replace")
    return one_line(told) or f"HTTP {answer.status}"


def told_of(value: Json) -> str:
    """Extract the message from a server's error: `{"error": {"message": …}}` or `{"detail": [{"msg": …}]}`."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "; ".join(filter(None, map(told_of, value[:4])))
    if isinstance(value, dict):
        place = value.get("loc")
        if isinstance(place, list) and place and isinstance(value.get("msg"), str):
            return f"{place[-1]}: {value['msg']}"
        for key in ("error", "message", "msg", "detail"):
            if value.get(key):
                return told_of(value[key])
    return ""


def _why(error: Exception) -> str:
    """Return the root cause, in the system's words if it has an errno: `Connection refused`."""
    for cause in _causes(error):
        if isinstance(cause, OSError) and cause.errno is not None and not isinstance(cause, ssl.SSLError):
            return one_line(os.strerror(cause.errno) if cause.errno > 0 else cause.strerror)
    if isinstance(error, TimeoutError | httpx2.TimeoutException):
        return os.strerror(errno.ETIMEDOUT)
    return one_line(str(error) or type(error).__name__)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
