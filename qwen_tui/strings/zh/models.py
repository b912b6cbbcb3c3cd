"""Chinese sentences and errors of choosing a model."""

SENTENCES: dict[str, str] = {
    "cli.models": "列出模型，以及本机装得下哪些",
    "cli.models_description": (
        "列出本机的模型和已知的模型，以及每种格式下能容纳多长的上下文。\n"
        "不下载；只有设置了服务器时才向它查询。\n"
        "只有 --lint 会临时下载本机没有的模型的分词器，用完即删。\n"
        "退出码：0；--device 指定的设备不存在时为 1。"
    ),
    "cli.models_examples": (
        "示例：\n  qwen-tui models\n  qwen-tui models --device cuda:1\n  qwen-tui models --json\n"
        "  qwen-tui models --lint Qwen/Qwen3-4B\n  qwen-tui models --delete Qwen/Qwen3-4B\n"
        "  qwen-tui models --clear"
    ),
    "cli.models_json": "输出一个 JSON 对象：设备，以及每个模型的数据",
    "cli.models_lint": "检查这个模型的对话模板和分词器，不加载权重；不能用来聊天时退出码为 1",
    "cli.models_clear": "删除缓存的量化权重；模型本身保留",
    "cli.models_delete": "从 Hugging Face 缓存中删除一个模型（会先询问）",
    "cli.models_yes": "与 --delete 同用：不再询问",
    "models.delete_question": "从 {path} 删除 {name}（{size}）？[y/N] ",
    "models.kept": "缓存的量化权重：{size}（{names}）。删除：qwen-tui models --clear",
    "models.cleared": "已从 {path} 删除 {size} 量化权重缓存",
    "models.devices": "空闲显存和内存",
    "models.device": "{name}  {label}  {free} / {total}",
    "models.group.here": "本机",
    "models.group.served": "服务器 {host}",
    "models.on_server": "由 {server} 提供",
    "models.served": "在服务器上运行，本机不加载。",
    "models.served.nameless": "服务器没有列出模型：用 --server 和 --model 指定。",
    "models.asking_server": "正在查询 {host}…",
    "models.group.known": "可下载",
    "models.column.model": "模型",
    "models.column.size": "磁盘",
    "models.column.dtype": "精度",
    "models.column.context": "窗口",
    "models.form.none": "bf16",
    "models.form.8bit": "8 位",
    "models.form.4bit": "4 位",
    "models.download": "↓ {size}",
    "models.quantized": "已量化",
    "models.does_not_fit": "–",
    "models.on_several": "{tokens} ×{count}",
    "models.group.named": "指定的模型",
    "models.form.auto": "自动",
    "models.title": "模型",
    "models.keys": "{load} 加载 · {name} 输入名称 · {previous} {next} 格式 · {delete} 删除 · {close} 关闭",
    "models.key.load": "加载",
    "models.key.back": "停止或关闭",
    "models.key.close": "关闭",
    "models.key.previous_form": "上一种格式",
    "models.key.next_form": "下一种格式",
    "models.key.delete": "删除",
    "models.confirm_delete": "再按一次 {key}，从 {path} 删除 {name}（{size}）。",
    "models.deleting": "正在删除…",
    "models.deleted": "已删除，腾出 {size}。",
    "models.key.name": "输入名称",
    "models.by_name": "{key}  输入 Hugging Face 上的模型名、文件夹或服务器地址",
    "models.searching": "正在查找本机的模型…",
    "models.asking": "正在查询 Hugging Face…",
    "models.parameters": "{count} 参数",
    "models.window": "上下文窗口 {tokens:,}",
    "models.here": "本机占用 {size}",
    "models.used.today": "今天用过",
    "models.used.days": "{count} 天前用过",
    "models.not_here": "未下载（{size}）",
    "models.size_unknown": "下载后才知道大小。",
    "models.fits": "{devices} 装得下，可容纳 {tokens:,} token 上下文。",
    "models.confirm": "再按 {key} 下载 {size} 并加载。",
    "models.confirm_unknown": "再按 {key} 下载缺少的文件并加载。",
    "models.confirm_in_vain": "这种格式：{problem}。再按 {key} 检查，装得下才下载。",
    "models.legend": (
        "bf16、8 位、4 位：装下权重后还能容纳的上下文 token 数；– 表示装不下，×2 表示需要两块 GPU。\n"
        "加载：qwen-tui --model MODEL [--quantization 4bit]"
    ),
}

ERRORS: dict[str, tuple[str, str, str]] = {
    "models.delete_guide": (
        "内置模型不能删除",
        "内置模型是程序的一部分。",
        "请选择 Hugging Face 缓存中的模型。",
    ),
    "models.nothing_to_delete": (
        "没有可删除的内容",
        "{name} 不在这台机器上。",
        "运行 qwen-tui models 查看本机的模型。",
    ),
    "models.own_folder": (
        "不在 Hugging Face 缓存中",
        "这里只删除 Hugging Face 缓存中的模型，因为它们可以重新下载。",
        "如果不再需要，请自行删除这个文件夹：{path}",
    ),
    "models.in_use": ("正在使用", "正在使用 {name}。", "请先加载别的模型。"),
    "models.being_downloaded": ("正在下载", "有程序正在下载 {name}。", "请停止下载，或等它完成后再试。"),
    "models.not_deleted": (
        "没有全部删除",
        "无法删除 {path}：{detail}。",
        "请检查文件夹的权限，然后重试。",
    ),
    "models.not_confirmed": ("没有删除", "这里无法询问。", "加上 --yes，不经询问直接删除 {name}。"),
    "models.not_cleared": (
        "没有全部删除",
        "{path} 里还剩 {size}：另一个程序正在写入，或文件无法删除。",
        "稍后再试，或检查文件夹权限。",
    ),
}
