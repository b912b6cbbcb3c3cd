"""Chinese sentences and errors of the command line."""

SENTENCES: dict[str, str] = {
    "cli.description": (
        "在终端里全屏聊天，Qwen 等对话模型就在本机运行。\n\n"
        "不加 --model 时使用配置文件中的模型；没有设置时，用上次用过的模型；没有用过时，用已下载、\n"
        "GPU 装得下的最新模型，否则用内置的小模型 guide。没有指定的模型一律不下载。"
    ),
    "cli.examples": (
        "示例：\n"
        "  qwen-tui                                        用默认模型启动\n"
        "  qwen-tui --model Qwen/Qwen2.5-7B-Instruct       使用 Hugging Face 上或缓存中的模型\n"
        "  qwen-tui --model ~/models/mine --quantization 4bit\n"
        "  qwen-tui --conversation 广州                    打开这个对话，没有则新建\n"
        "  qwen-tui --last                                 继续上次的对话\n"
        "  qwen-tui --plain                                逐行聊天，适合读屏软件和管道\n"
        "  qwen-tui ask '什么是 token？'                   把一条回复输出到标准输出\n"
        "  qwen-tui models                                 列出模型，以及本机装得下哪些\n"
        "  qwen-tui doctor                                 检查本机；报告可以放心分享\n"
        "  qwen-tui export 广州 --output 广州.md           保存对话；用 import 导入\n\n"
        "程序运行时，屏幕最后一行显示按键。"
    ),
    "cli.usage_error": "{prog}: {message}。运行 {prog} --help 查看用法。",
    "cli.argparse.usage": "用法：",
    "cli.argparse.positionals": "位置参数",
    "cli.argparse.options": "选项",
    "cli.argparse.help": "显示帮助并退出",
    "cli.argparse.argument": "参数 %(argument_name)s：%(message)s",
    "cli.argparse.unrecognized": "无法识别的参数：%s",
    "cli.argparse.not_allowed": "不能与参数 %s 同时使用",
    "cli.argparse.ignored_value": "不接受值 %r",
    "cli.argparse.required": "缺少必需的参数：%s",
    "cli.argparse.one_required": "需要参数 %s 之一",
    "cli.argparse.expected_one": "需要一个值",
    "cli.argparse.expected_some": "至少需要一个值",
    "cli.argparse.choice": "无效的值 %(value)r（可选：%(choices)s）",
    "cli.version": "显示版本并退出",
    "cli.unknown": "无法识别的参数：{words}",
    "cli.commands": "命令",
    "cli.conversation": "打开这个名称的对话，没有则新建",
    "cli.last": "打开上次使用的对话",
    "cli.plain": "不打开界面，逐行聊天：适合读屏软件、简单终端和管道",
    "cli.model": "guide（内置小模型）、文件夹或 Hugging Face 上的名称",
    "cli.offline": "不向 Hugging Face 发送请求，只用本机已有的模型",
    "cli.server": "使用这个服务器上的模型：vLLM、SGLang、llama.cpp、Ollama、transformers serve",
    "cli.quantization": "量化权重；4bit 的显存约为不量化的四分之一（默认 auto）",
    "cli.dtype": "用 bf16、fp16 或 fp32 计算（默认 auto，选设备算得快的）",
    "cli.device": "运行模型的设备（默认 auto，有 GPU 就用 GPU）",
    "cli.system": "本次运行的系统提示词",
    "cli.data_dir": "把对话和日志存入这个文件夹",
    "cli.language": "程序的语言：en、zh，或 auto（跟随系统区域设置）",
    "cli.config": "使用这个配置文件",
    "cli.trust_remote_code": "运行模型自带的 Python 代码；仅限信任的来源",
    "cli.ask": "把一条回复输出到标准输出，不打开界面",
    "cli.ask_description": (
        "提一个问题，边生成边输出回复；标准输出中没有其他内容。\n"
        "退出码：0 已回复，1 失败，2 用法错误，130 已停止。"
    ),
    "cli.ask_examples": (
        "示例：\n"
        "  qwen-tui ask '什么是 token？'\n"
        "  cat news.txt | qwen-tui ask '这篇文章讲了什么？' - --temperature 0\n"
        "  qwen-tui ask --model Qwen/Qwen2.5-7B-Instruct --quantization 4bit < prompt.txt"
    ),
    "cli.ask_text": "消息；用 - 或省略 TEXT 时读取标准输入",
    "cli.ask_values": "本条回复的设置（默认用配置文件中的值）",
    "cli.ask_json": "输出一个 JSON 对象，包含文本和生成记录",
    "cli.status": "退出码：0 完成，1 失败，2 用法错误。",
    "cli.dashes": "名称以短横线开头时，在前面加 --：qwen-tui {command} -- -name",
    "cli.name": "对话名称",
    "cli.as_json": "输出 JSON",
    "cli.list": "列出对话，最近使用的在前",
    "cli.list_trash": "列出回收站中的对话",
    "cli.list.none": "还没有对话",
    "cli.list.no_trash": "回收站是空的",
    "cli.show": "以纯文本输出对话",
    "cli.search": "查找包含所有词的对话；找不到时退出码为 1",
    "cli.search_words": "名称或消息中的词",
    "cli.search.none": "没有对话包含所有这些词",
    "cli.export": "输出对话，或写入文件",
    "cli.export_format": (
        "markdown 便于阅读，json 含所有版本和设置，openai 是消息列表；"
        "默认按 FILE 的扩展名（.md、.json、.openai.json）判断，否则为 markdown"
    ),
    "cli.export_output": "写入这个文件；不覆盖已有文件",
    "cli.export_force": "覆盖已有文件",
    "cli.import": "导入对话：qwen-tui 的 JSON、OpenAI 消息列表（JSON、JSONL）、ChatGPT 导出文件",
    "cli.import_files": "文件，或 ChatGPT 导出的 zip 压缩包；- 表示标准输入",
    "cli.stdin": "标准输入",
    "cli.rename": "重命名对话，并输出新名称",
    "cli.new_name": "新名称；重名时加上编号",
    "cli.no_name": "名称中没有可见字符",
    "cli.delete": "把对话移到回收站，保留三十天",
    "cli.deleted": "已把“{name}”移到回收站；用 qwen-tui restore 恢复",
    "cli.restore": "从回收站恢复对话，并输出名称",
}

ERRORS: dict[str, tuple[str, str, str]] = {
    "cli.no_tty": (
        "不是终端",
        "界面需要终端，而标准输入或标准输出不是终端。",
        "用 qwen-tui --plain 逐行聊天，或用 qwen-tui ask 提一个问题。",
    ),
    "cli.dumb_terminal": (
        "终端不支持界面",
        "这个终端无法移动光标（TERM=dumb），不能显示界面。",
        "用 qwen-tui --plain 逐行聊天。",
    ),
    "cli.nothing_to_ask": (
        "消息为空",
        "消息为空。",
        "把消息写成参数，例如 qwen-tui ask TEXT，或从标准输入传入。",
    ),
    "cli.not_found": (
        "找不到对话",
        "没有名为“{name}”的对话。",
        "运行 qwen-tui list 查看对话，运行 qwen-tui list --trash 查看回收站。",
    ),
    "cli.not_found_but": (
        "找不到对话",
        "没有名为“{name}”的对话。",
        "你要找的可能是：{close}。",
    ),
    "cli.not_printed": (
        "无法输出",
        "无法写入标准输出：{detail}。",
        "腾出空间，或输出到别处。",
    ),
    "cli.not_read": (
        "无法读取输入",
        "无法读取标准输入：{detail}。",
        "去掉 -，或把文件或管道接到标准输入。",
    ),
    "cli.not_text": (
        "不是文本",
        "标准输入不是 UTF-8 文本。",
        "先转换编码，例如用 iconv。",
    ),
}
