"""Chinese sentences and errors of reading and writing files from the screen, and of replaying a reply."""

SENTENCES: dict[str, str] = {
    "files.keys.save": "{take} 保存 · → 补全 · {cancel} 取消",
    "files.keys.open": "{take} 打开 · → 补全 · {cancel} 取消",
    "files.cancel": "取消",
    "files.take": "确定",
    "files.save_code": "代码块保存到",
    "files.export": "导出“{name}”到",
    "files.export.note": (
        ".md 便于阅读 · .json 包含全部内容，"
        "连同所有版本和生成记录 · .openai.json 是其他程序也能读取的消息列表"
    ),
    "files.export.ending": "“{name}”的扩展名须是 .md、.json 或 .openai.json，格式由它决定。",
    "files.import": "导入对话",
    "files.import.note": (
        "qwen-tui 的 JSON、OpenAI 消息列表（JSON 或 JSONL），"
        "或 ChatGPT 导出文件（conversations.json 或 zip 压缩包）"
    ),
    "files.importing": "正在导入 {path}…",
    "files.imported.one": "已导入“{name}”。",
    "files.imported": "已导入 {count:,} 个对话，当前显示“{name}”。",
    "files.nothing_to_export": "还没有可导出的内容。",
    "files.overwrite": "“{name}”已存在。再按 {key} 覆盖。",
    "files.is_folder": "{path} 是文件夹，要加上文件名。",
    "files.no_folder": "找不到文件夹：{path}",
    "files.not_there": "找不到文件：{path}",
    "files.no_name": "文件名无效：{path}",
    "files.written": "已保存到 {path}。",
    "replay.waiting": "正在等待模型…",
    "replay.running": "正在重放：{done:,} / {total:,} token。",
    "replay.stopping": "先按 {close} 关闭生成记录，再按 {stop} 停止重放。",
    "replay.same": "完全一致：{count:,} 个 token 全部相同。",
    "replay.same_so_far": "已停止。目前一致：{total:,} 个 token 中的前 {count:,} 个相同。",
    "replay.differs": "第 {number:,} 个 token 开始不同（共 {total:,} 个）：原回复是{was}，现在是{became}。",
    "replay.reused": (
        "当时提示词有 {reused:,} 个 token 来自缓存，这次重新计算；舍入误差可能改变概率接近的选择。"
    ),
    "replay.quoted": "“{text}”",
    "replay.end": "结尾",
}

ERRORS: dict[str, tuple[str, str, str]] = {
    "files.not_written": (
        "文件没有保存",
        "无法写入 {path}：{detail}。",
        "换个文件名或文件夹。",
    ),
}
