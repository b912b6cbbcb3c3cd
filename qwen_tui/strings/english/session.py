"""English errors of a turn."""

ERRORS: dict[str, tuple[str, str, str]] = {
    "chat.message_too_long": (
        "Too long for this model",
        "With this message the prompt has {tokens:,} tokens; the model's window leaves room for {limit:,}.",
        "Shorten it, lower max new tokens, or choose a model with a larger window.",
    ),
}
