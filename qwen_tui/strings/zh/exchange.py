"""Chinese sentences and errors of exporting and importing conversations."""

SENTENCES: dict[str, str] = {
    "exchange.note.images": "略去图片 {count:,} 张。",
    "exchange.note.sounds": "略去录音 {count:,} 段。",
    "exchange.note.parts": "略去既非文本、也非图片或音频的内容 {count:,} 处。",
    "exchange.note.tool_calls": "略去工具调用 {count:,} 次。",
    "exchange.note.tool_results": "略去工具结果 {count:,} 个。",
    "exchange.note.thoughts": "略去思考过程 {count:,} 段。",
    "exchange.note.hidden": "略去隐藏消息 {count:,} 条。",
    "exchange.note.roles": "略去未知角色的消息 {count:,} 条。",
    "exchange.note.developer": "开发者消息作为系统消息导入：{count:,} 条。",
    "exchange.note.unread": "文件中第 {number:,} 个对话未导入：{reason}。",
    "exchange.note.more_unread": "另有 {count:,} 个对话未导入。",
    "exchange.remark": "（{remark}）",
    "store.damage.no_messages": "没有包含文本的消息",
}

_SPLIT = "拆分文件后分别导入。"

ERRORS: dict[str, tuple[str, str, str]] = {
    "exchange.not_read": (
        "无法读取文件",
        "无法打开 {path}：{detail}。",
        "检查文件名和权限。",
    ),
    "exchange.damaged": (
        "没有导入任何内容",
        "无法导入 {path}：{detail}。",
        "支持：qwen-tui 的 JSON、OpenAI 消息列表（JSON 或 JSONL）、ChatGPT 导出文件。",
    ),
    "exchange.is_there": (
        "文件已存在",
        "{path} 已存在，没有覆盖。",
        "换一个名称，或加上 --force。",
    ),
    "exchange.too_large": (
        "文件太大",
        "{path} 的文本超过 {megabytes:,} MB，没有导入任何内容。",
        _SPLIT,
    ),
    "exchange.too_many": (
        "对话太多",
        "{path} 中有 {count:,} 个对话，一次最多导入 {limit:,} 个。没有导入任何内容。",
        _SPLIT,
    ),
    "exchange.damaged_archive": (
        "无法读取压缩包",
        "zip 压缩包 {path} 已损坏，或有密码保护。",
        "解压后导入其中的 conversations.json。",
    ),
    "exchange.other_archive": (
        "没有可导入的内容",
        "压缩包 {path} 中没有 conversations.json。",
        "解压后导入其中的文件。",
    ),
}
