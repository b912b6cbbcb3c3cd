"""Chinese sentences and errors of the settings, the panel and the config file."""

_FIELDS: dict[str, tuple[str, str]] = {
    "temperature": ("温度", "选 token 的随机程度。0 则总选最可能的。"),
    "top_p": ("Top-p", "只从累计概率达到此值的最可能的 token 中选（核采样）。1 为关闭。"),
    "top_k": ("Top-k", "只从最可能的 k 个 token 中选。0 为关闭。"),
    "min_p": ("Min-p", "去掉概率低于“最高概率 × 此值”的 token。0 为关闭。"),
    "repetition_penalty": ("重复惩罚", "降低已出现过的 token 的概率。1 为关闭。"),
    "presence_penalty": ("存在惩罚", "降低回复里已有 token 的概率，不论出现几次。0 为关闭。"),
    "frequency_penalty": ("频率惩罚", "token 在回复里出现得越多，概率降得越低。0 为关闭。"),
    "max_new_tokens": ("最大生成长度", "一条回答最多生成多少 token，不含思考。"),
    "stop": ("停止字符串", "遇到其中任一段文字就结束回答。用英文逗号分隔，\\n 表示换行。"),
    "seed": ("随机种子", "种子和提示词都相同，回复就相同。留空则每次随机。"),
    "greedy": ("贪心解码", "总选最可能的 token：同一问题，同一回复。"),
    "system_prompt": ("系统提示词", "对话开始前给模型的指示。"),
    "memory": ("记忆", "开：模型能看到之前的对话。关：只看到你最新的消息。"),
    "memory_turns": ("记忆轮数", "模型最多看到最近多少轮。留空则不限。"),
    "memory_tokens": ("记忆 token 数", "模型最多看到多少 token。留空则用整个上下文窗口。"),
    "thinking": ("思考", "让模型先思考再回复（需要对话模板支持）。"),
    "effort": ("思考强度", "让模型想多少（需要对话模板支持）。"),
    "thinking_budget": (
        "思考上限",
        "思考满这么多 token 就结束，开始回答。留空则只给回答留出位置，其余都可用来思考。",
    ),
    "model": (
        "模型",
        "guide、文件夹、Hugging Face 上的名称（如 Qwen/Qwen2.5-7B-Instruct），或服务器上的模型。",
    ),
    "quantization": ("量化", "自动、不量化、4 位（nf4，显存约为不量化的四分之一）或 8 位。"),
    "dtype": ("数据类型", "auto（bf16；较旧的 GPU 用 fp16）、bf16、fp16 或 fp32。"),
    "device": ("设备", "auto（自动）、cpu、cuda，或某一块 GPU，如 cuda:1。"),
    "trust_remote_code": ("信任远程代码", "运行模型自带的 Python 代码。仅限信任的来源。"),
    "server": ("服务器", "运行模型的服务器地址，如 http://gpubox:8000。留空则在本机运行。"),
    "context_window": ("上下文窗口", "以 token 计，用于没有报告它的服务器。"),
    "idle_unload_minutes": (
        "闲置卸载（分钟）",
        "闲置这么多分钟后卸载模型，发消息时再加载。0 为从不。",
    ),
    "quantized_cache_gb": (
        "量化缓存（GB）",
        "缓存量化权重最多用多少磁盘空间；有缓存时下次加载更快。0 为不缓存。",
    ),
    "save_traces": (
        "保存采样记录",
        "记录回复的每个 token 是怎样选出来的，存在对话旁边，每个 token 约 0.3 kB。",
    ),
    "language": ("语言", "界面语言；自动则跟随系统区域设置。"),
    "bell": ("响铃", "生成超过十秒的回复结束时响铃；自动则只在终端不在前台时响铃。"),
    "theme": ("主题", "界面颜色。"),
}

SENTENCES: dict[str, str] = {
    **{f"settings.{name}.label": label for name, (label, _) in _FIELDS.items()},
    **{f"settings.{name}.help": text for name, (_, text) in _FIELDS.items()},
    "settings.a_number": "数字",
    "settings.an_integer": "整数",
    "settings.bounds.from": "不小于 {low} 的{kind}",
    "settings.bounds.above": "大于 {low} 的{kind}",
    "settings.bounds.from_to": "从 {low} 到 {high} 的{kind}",
    "settings.bounds.above_to": "大于 {low}、不超过 {high} 的{kind}",
}

ERRORS: dict[str, tuple[str, str, str]] = {
    "settings.out_of_range": (
        "值无效",
        "“{name}”不能是 {value}，应为{bounds}。",
        "输入范围内的值，或留空以使用默认值。",
    ),
    "settings.missing": ("缺少值", "“{name}”不能为空。", "重置即可恢复默认值。"),
    "settings.not_a_switch": (
        "值无效",
        "“{name}”不能是 {value}。",
        "可用 on（开）或 off（关）；配置文件里用 true 或 false。",
    ),
    "settings.not_text": ("值无效", "“{name}”不能是 {value}。", "文字要加引号。"),
    "settings.not_a_choice": ("值无效", "“{name}”不能是 {value}。", "可选：{choices}。"),
    "settings.unknown_key": ("未知设置", "没有名为 {key} 的设置。", "你要找的可能是：{close}。"),
    "settings.not_toml": (
        "无法读取配置文件",
        "{path} 不是有效的 TOML：{detail}。",
        "改正那一行。在此之前使用默认值，文件保持原样。",
    ),
    "settings.unreadable": (
        "无法读取配置文件",
        "无法打开 {path}：{detail}。",
        "检查文件权限。在此之前使用默认值。",
    ),
    "settings.not_saved": (
        "设置没有保存",
        "无法写入 {path}：{detail}。",
        "退出前仍然有效。检查文件夹权限和剩余空间。",
    ),
}
