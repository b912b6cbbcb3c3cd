"""English errors of a turn."""

ERRORS: dict[str, tuple[str, str, str]] = {
    "chat.message_too_long": (
        "Too long for this model",
        "With this message the prompt has {tokens:,} tokens; the model's window leaves room for {limit:,}.",
        "Shorten it, lower max new tokens, or choose a model with a larger window.",
    ),
    "session.read_only": (
        "Open in another program",
        "Another qwen-tui has this conversation open. Here it can only be read.",
        "Close it there, or duplicate it and go on in the copy.",
    ),
    "replay.no_receipt": (
        "Nothing to replay",
        "This reply has no receipt that tells how it was made.",
        "Replies of this program carry one; imported, edited and recovered ones do not.",
    ),
    "replay.other_model": (
        "Another model wrote this",
        "It was written by {model} ({quantization}, {dtype}).",
        "Load that model and try again.",
    ),
    "replay.prompt_changed": (
        "The prompt is not what it was",
        "Messages before this reply have been deleted or have changed, or the template has.",
        "Undo that and try again.",
    ),
}
