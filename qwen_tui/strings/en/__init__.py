"""English: the sentences of every area, merged. An error is (title, sentence, hint)."""

from qwen_tui.strings.en import (
    bench,
    chat,
    commands,
    composing,
    device,
    doctor,
    engine,
    exchange,
    files,
    models,
    panes,
    screen,
    server,
    session,
    settings,
    storage,
)

NAME = "English"
LETTERS = ""

SENTENCES: dict[str, str] = {
    **commands.SENTENCES,
    **bench.SENTENCES,
    **screen.SENTENCES,
    **composing.SENTENCES,
    **files.SENTENCES,
    **exchange.SENTENCES,
    **panes.SENTENCES,
    **settings.SENTENCES,
    **engine.SENTENCES,
    **device.SENTENCES,
    **server.SENTENCES,
    **models.SENTENCES,
    **doctor.SENTENCES,
    **chat.SENTENCES,
    **storage.SENTENCES,
}

ERRORS: dict[str, tuple[str, str, str]] = {
    "error.unknown": (
        "Something went wrong",
        "Unexpected error: {detail}.",
        "See the log file for details.",
    ),
    **commands.ERRORS,
    **bench.ERRORS,
    **screen.ERRORS,
    **composing.ERRORS,
    **session.ERRORS,
    **files.ERRORS,
    **exchange.ERRORS,
    **panes.ERRORS,
    **settings.ERRORS,
    **engine.ERRORS,
    **device.ERRORS,
    **server.ERRORS,
    **models.ERRORS,
    **chat.ERRORS,
    **storage.ERRORS,
}
