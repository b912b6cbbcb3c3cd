"""The checks of `qwen-tui doctor` on the configured server."""

from collections.abc import Iterator

from qwen_tui.commands.doctor.check import Check
from qwen_tui.engine.redaction import one_line
from qwen_tui.engine.remote.api_key import VARIABLE
from qwen_tui.engine.remote.server_check import examine
from qwen_tui.strings import say

NAMED_MODELS = 4
"""How many of its models are named."""


def server_checks(given: str, model: str | None) -> Iterator[Check]:
    """Check the server at this address and the `model` requested there; may take some seconds."""
    server = examine(given, model)
    if server.problem is not None:
        explanation = server.problem.explanation
        yield Check("server", "fails", explanation.sentence, explanation.hint)
    else:
        said = say("doctor.server", host=server.host, kind=server.kind, seconds=server.seconds)
        yield Check("server", "ok", said)
        yield _models(server.models, model)
        how = "exact" if server.counts_exactly else "estimated"
        yield Check("counting", "ok", say(f"doctor.counting.{how}"))
    if server.host:
        code = "doctor.key.set" if server.has_key else "doctor.key.none"
        yield Check("key", "ok", say(code, variable=VARIABLE))


def _models(names: tuple[str, ...], wanted: str | None) -> Check:
    if not names:
        hint = "" if wanted else say("doctor.served.name_one")
        return Check("served", "note", say("doctor.served.none"), hint)
    more = ", …" if len(names) > NAMED_MODELS else ""
    return Check("served", "ok", f"{len(names)}: {', '.join(map(one_line, names[:NAMED_MODELS]))}{more}")
