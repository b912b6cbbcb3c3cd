"""Chinese sentences and errors of what a model's chat template and tokenizer do."""

SENTENCES: dict[str, str] = {
    "engine.template.refuses": "它的对话模板连一条消息都不接受（{detail}），无法用来聊天。",
    "engine.template.loses_user": "它的对话模板会漏掉你写的内容，模型看不到你的消息。",
    "engine.template.loses_assistant": "它的对话模板会漏掉之前的回复，模型看不到自己的回答。",
}

ERRORS: dict[str, tuple[str, str, str]] = {
    "engine.unknown_end_token": (
        "未知的结束 token",
        "{file} 把 {token} 设为 {key}，但分词器里没有这个 token。",
        "改正 {file} 中的 {key}，或重新下载模型。",
    ),
}
