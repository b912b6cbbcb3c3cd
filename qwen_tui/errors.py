"""The exception for errors that people read: a code and its parameters, without a sentence.

The sentences are in `qwen_tui.strings`, so an error can be shown in another language, stored in a
conversation file, and sent from the engine worker to the screen without losing anything.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Self

from qwen_tui import strings

Parameter = str | int | float


class QwenTuiError(Exception):
    """An error that is explained to the person: what happened, and what to do about it.

    `code` names an entry of the error catalogue (`strings.explain`); `parameters` fill its placeholders.
    Instances survive pickling and `as_json` / `from_json`.
    """

    def __init__(self, code: str, /, **parameters: Parameter) -> None:
        super().__init__(code)
        self.code = code
        self.parameters: dict[str, Parameter] = parameters

    def __str__(self) -> str:
        explanation = strings.explain(self.code, self.parameters)
        return strings.joined(explanation.sentence, explanation.hint)

    def __reduce__(self) -> tuple[Callable[[], Self], tuple[()]]:
        return partial(type(self), self.code, **self.parameters), ()

    @property
    def explanation(self) -> strings.Explanation:
        """Title, sentence and hint in the language of the screen."""
        return strings.explain(self.code, self.parameters)

    def as_json(self) -> dict[str, object]:
        """Return the error as stored in a conversation file or a receipt."""
        return {"code": self.code, "parameters": dict(self.parameters)}

    @classmethod
    def from_json(cls, value: object) -> Self:
        """Read what `as_json` wrote; anything unreadable becomes the code `error.unknown`."""
        if isinstance(value, Mapping) and isinstance(value.get("code"), str):
            given = value.get("parameters")
            pairs = given.items() if isinstance(given, Mapping) else ()
            return cls(value["code"], **{str(k): v for k, v in pairs if isinstance(v, str | int | float)})
        return cls("error.unknown", detail=str(value)[:200])
