"""中文: the sentences of every area, merged. An error is (title, sentence, hint)."""

from qwen_tui.strings.zh import (
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

NAME = "中文"
LETTERS = "[\u4e00-\u9fff]"

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
        "出错了",
        "意外错误：{detail}。",
        "详情见日志文件。",
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
