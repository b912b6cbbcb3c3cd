"""Chinese sentences and errors of `qwen-tui bench`."""

SENTENCES: dict[str, str] = {
    "cli.bench": "测量模型在本机的速度",
    "cli.bench_description": (
        "测量模型在本机的速度：预填充、首 token 延迟和解码；既测引擎本身，也测整个程序，\n"
        "并与 transformers 的 generate 以及内存带宽决定的上限比较。\n"
        "不加 --model 时测默认模型。GPU 上需要几分钟；CPU 上宜用较短的 --contexts。"
    ),
    "cli.bench_examples": (
        "示例：\n"
        "  qwen-tui bench --model guide\n"
        "  qwen-tui bench --shape qwen2.5-7b                 同样结构的随机权重，无需下载\n"
        "  qwen-tui bench --shape qwen2.5-7b --quantization 4bit --json"
    ),
    "cli.bench_shape": "测量已知结构的随机权重，例如 qwen2.5-7b；权重临时写入磁盘",
    "cli.bench_contexts": "提示词长度，以 token 计（默认 512,8192,24000，超出窗口的跳过）",
    "cli.bench_repeats": "每项测量的次数（默认 3）",
    "cli.not_positive": "必须是不小于 1 的整数",
    "cli.bench_json": "输出一个 JSON 对象",
    "bench.at": "正在测量：{tokens:,} token…",
    "bench.left_out": "跳过 {lengths} token：连同回复超出 {window:,} token 的上下文窗口。",
    "bench.and": "、",
    "bench.through_app": "正在测量整个程序…",
    "bench.writing": "正在把 {size} 随机权重写入 {path}，测完即删除…",
    "bench.model": "{name}，{form}，设备 {device}（{on}）",
    "bench.cores": "{count} 个 CPU 核心",
    "bench.decoded": "解码方式：{by}",
    "bench.versions": (
        "torch {torch}，transformers {transformers}；加载模型 {seconds:.1f} 秒，再过 {ready:.1f} 秒解码达到全速"
    ),
    "bench.columns": (
        "上下文 | 预填充 tok/s | 首 token（冷） | 首 token（热） | 停止用时 | 解码 tok/s"
        " | generate 首 token | 解码 tok/s | 上限 tok/s"
    ),
    "bench.app": (
        "整个程序，{tokens} token：{app:,.1f} tok/s，是引擎单独运行的 {share:.2f} 倍；"
        "最后一个 token 之后 {late} 屏幕显示完毕"
    ),
    "bench.plot": "解码速度（tok/s）",
    "bench.limit": "上限",
}

ERRORS: dict[str, tuple[str, str, str]] = {
    "bench.server": (
        "无法测量",
        "服务器上的模型不在本机运行。",
        "用 --model 指定文件夹或 Hugging Face 上的名称，或用 --shape。",
    ),
    "bench.no_such_shape": (
        "未知结构",
        "{name} 不是已知的结构。",
        "可选：{shapes}。",
    ),
    "bench.bad_contexts": (
        "提示词长度无效",
        "{given} 不是有效的长度列表。",
        "填写用半角逗号分隔的整数，例如 512,8192。",
    ),
    "bench.window_too_small": (
        "上下文窗口太小",
        "上下文窗口只有 {window} token，装不下提示词和两条回复。",
        "换一个模型测量。",
    ),
    "bench.no_room": (
        "磁盘空间不足",
        "随机权重需要 {needed}，{path} 只有 {free} 空闲。",
        "腾出空间，或把 XDG_CACHE_HOME 设为更大磁盘上的文件夹。",
    ),
    "bench.not_written": (
        "无法生成权重",
        "无法写入随机权重：{detail}。",
        "检查磁盘，或用 --model 测量自己的模型。",
    ),
}
