"""Chinese errors of a turn."""

SENTENCES: dict[str, str] = {}

ERRORS: dict[str, tuple[str, str, str]] = {
    "error.unknown": (
        "出错了",
        "意外错误：{detail}。",
        "详情见日志文件。",
    ),
    "chat.message_too_long": (
        "消息太长",
        "加上这条消息，提示词有 {tokens:,} token；上下文窗口只能留出 {limit:,}。",
        "缩短消息、调小最大生成长度，或换一个上下文窗口更大的模型。",
    ),
    "session.read_only": (
        "已在别处打开",
        "这个对话已在另一个 qwen-tui 中打开，这里只能查看。",
        "在那边关闭它，或创建副本后在副本里继续。",
    ),
    "replay.no_receipt": (
        "无法重放",
        "这条回复没有带 token ID 的生成记录。",
        "只有本程序生成的回复可以重放；导入、编辑或恢复的不行。",
    ),
    "replay.other_model": (
        "由其他模型生成",
        "这条回复由 {model}（{quantization}，{dtype}）生成。",
        "加载这个模型后再试。",
    ),
    "replay.prompt_changed": (
        "提示词变了",
        "生成这条回复之后，前面的消息或对话模板变了。",
        "撤销这些更改后再试。",
    ),
}
