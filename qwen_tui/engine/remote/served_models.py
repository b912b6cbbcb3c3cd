"""The models of a server to choose from."""

from qwen_tui.engine.models.choices import ModelChoice
from qwen_tui.engine.remote.address import address
from qwen_tui.engine.remote.api_key import api_key
from qwen_tui.engine.remote.http_calls import Calls, Patience
from qwen_tui.engine.remote.probe import probe
from qwen_tui.engine.remote.refusals import unreachable
from qwen_tui.errors import QwenTuiError

PATIENCE = Patience(connect=2.0, answer=3.0)


def served_by(given: str) -> tuple[ModelChoice, ...]:
    """What the server at this address has; where it cannot be asked, one entry that says why. Takes seconds."""
    try:
        server = address(given)
    except QwenTuiError as error:
        return (ModelChoice("", "served", None, None, server=given, unreachable=error),)
    try:
        calls = Calls(server, api_key(server), PATIENCE)
    except QwenTuiError as error:
        return (ModelChoice("", "served", None, None, server=server.root, unreachable=error),)
    try:
        served = probe(calls, server.host)
    except Exception as error:
        problem = error if isinstance(error, QwenTuiError) else unreachable(error, server.host)
        return (ModelChoice("", "served", None, None, server=server.root, unreachable=problem),)
    finally:
        calls.close()
    return tuple(
        ModelChoice(model, "served", None, None, server=server.root, window=served.windows.get(model, 0))
        for model in served.models
    ) or (ModelChoice("", "served", None, None, server=server.root),)
