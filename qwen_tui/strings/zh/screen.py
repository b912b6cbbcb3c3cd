"""Chinese sentences and errors of the chat screen."""

SENTENCES: dict[str, str] = {
    "screen.language_offered": "界面可以显示中文：用 --language zh 启动，或在设置里选择 Language。",
}

ERRORS: dict[str, tuple[str, str, str]] = {}
