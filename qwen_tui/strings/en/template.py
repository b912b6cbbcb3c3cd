"""English sentences and errors of what a model's chat template and tokenizer do."""

SENTENCES: dict[str, str] = {
    "engine.template.refuses": (
        "Its chat template rejects even a single message ({detail}); the model cannot be used for chat."
    ),
    "engine.template.loses_user": (
        "Its chat template leaves out what you write, so the model does not see your messages."
    ),
    "engine.template.loses_assistant": (
        "Its chat template leaves out earlier replies, so the model does not see its own answers."
    ),
}

ERRORS: dict[str, tuple[str, str, str]] = {
    "engine.unknown_end_token": (
        "Unknown end token",
        "{file} names {token} as {key}, but the tokenizer has no such token.",
        "Correct {key} in {file}, or download the model again.",
    ),
}
