"""Chinese sentences and errors of opening a model and of its replies."""

SENTENCES: dict[str, str] = {
    "engine.note.guide": "内置小模型。换大模型：--model Qwen/Qwen2.5-7B-Instruct（下载 15 GB）。",
    "engine.note.guide_no_room": (
        "内置小模型：本机的模型没有一个能放进 GPU。可以换小一些的模型：--model Qwen/Qwen2.5-0.5B-Instruct。"
    ),
    "engine.note.used_last": "上次用的模型；换别的：--model。",
    # How the process ended, and why a file cannot be used: the middle of a sentence
    "engine.ended.code": "退出码 {code}",
    "engine.ended.signal": "{signal}",
    "engine.damage.not_an_object": "不是 JSON 对象",
    "engine.damage.no_model_type": "缺少 model_type",
    "engine.damage.index": "列出的文件不在这个文件夹中",
    "engine.damage.no_header": "缺少文件头",
    "engine.damage.cut_off": "应有 {expected:,} 字节，只有 {found:,} 字节",
    "engine.damage.bad_header": "文件头无效",
    "engine.damage.no_dtype": "文件头中没有 dtype",
    "engine.damage.too_large": "文件太大",
}

_CHOOSE = "选择对话模型，例如 Qwen/Qwen2.5-7B-Instruct；运行 qwen-tui models 查看更多。"

_AGAIN = "重新复制模型。如果来自 Hugging Face，先运行 hf cache rm model/NAME，再重新加载。"

_RESAVE = "如果是自己的模型，用 save_pretrained 重新保存；否则"

_RELOAD = "重新发送即可再次加载模型。"

_SAVED = "已生成的内容已保存。"

_LOCAL = "或选用本机已有的模型，例如 guide。"

ERRORS: dict[str, tuple[str, str, str]] = {
    # The worker process
    "engine.cannot_start": (
        "引擎无法启动",
        "无法启动引擎进程：{detail}。",
        "关闭其他程序，腾出内存后重试。",
    ),
    "engine.import_failed": (
        "引擎无法启动",
        "无法导入所需的库：{detail}。",
        "在独立环境中重新安装 qwen-tui。",
    ),
    "engine.worker_died": (
        "引擎意外停止",
        "引擎进程已结束（{how}）。",
        _RELOAD + "如果内存或显存不足，换小一些的模型，或用 4 位量化（4bit）。",
    ),
    "engine.closed": ("模型已卸载", "模型已卸载。", "加载模型后继续。"),
    "engine.not_ready": ("未加载模型", "尚未加载模型。", "等待加载完成，或选择一个模型。"),
    "engine.no_answer": (
        "引擎的响应有误",
        "引擎的响应与请求不符。",
        "重新加载模型。",
    ),
    "engine.hung": (
        "引擎没有响应",
        "引擎 {seconds} 秒没有响应，已强制停止。",
        _SAVED + _RELOAD,
    ),
    "engine.garbled": (
        "引擎的数据无效",
        "无法读取引擎发来的数据，已停止引擎。",
        _SAVED + _RELOAD,
    ),
    "engine.keeps_dying": (
        "引擎反复崩溃",
        "引擎已崩溃 {times} 次，每次都在加载模型后不久。",
        "不再自动重启。换一个模型，或重新发送以重试。",
    ),
    "engine.stopped_early": (
        "已停止",
        "模型开始之前就已停止。",
        "要继续，重新发送。",
    ),
    "engine.did_not_stop": (
        "已停止引擎",
        "回复在 {seconds} 秒内没有停下来，已停止引擎。",
        _SAVED + _RELOAD,
    ),
    "engine.unexpected": ("引擎出错", "意外错误：{detail}。", "详情见日志文件。"),
    # Which model
    "engine.load_stopped": (
        "已停止加载",
        "模型没有加载。",
        "选择要加载的模型。",
    ),
    "engine.folder_missing": (
        "找不到文件夹",
        "文件夹 {path} 不存在。",
        "检查路径。Hugging Face 上的模型要写全名，例如 Qwen/Qwen2.5-7B-Instruct。",
    ),
    "engine.not_a_folder": (
        "不是文件夹",
        "{path} 是文件，不是文件夹。",
        "指定包含 config.json 和 safetensors 文件的文件夹。",
    ),
    "engine.no_model_in_folder": (
        "没有找到模型",
        "{path} 中没有可用的模型：缺少 {missing}。",
        "指定包含 config.json、分词器和 safetensors 文件的文件夹。",
    ),
    "engine.adapter": (
        "只有适配器",
        "{path} 中只有 {base} 的 LoRA 适配器，不是完整模型。",
        "用 peft 合并（先 merge_and_unload，再 save_pretrained），然后指定合并后的文件夹。",
    ),
    "engine.adapter_alone": (
        "只有适配器",
        "{path} 中只有 LoRA 适配器，不是完整模型。",
        "用 peft 与原模型合并（先 merge_and_unload，再 save_pretrained），然后指定合并后的文件夹。",
    ),
    "engine.not_a_name": (
        "不是模型名称",
        "{model} 既不是文件夹，也不是 Hugging Face 上的名称。",
        "填写 guide、文件夹，或 Qwen/Qwen2.5-7B-Instruct 这样的名称。",
    ),
    "engine.unreadable": (
        "无法读取模型",
        "无法打开 {path}：{detail}。",
        "检查文件权限。",
    ),
    # What is in the folder
    "engine.not_safetensors": (
        "不是 safetensors 格式",
        "权重在 {file} 中。这类文件打开时可能执行代码，或属于其他程序。",
        "选择提供 safetensors 文件的模型或版本。",
    ),
    "engine.other_format": (
        "不支持的格式",
        "权重是 {form} 格式，qwen-tui 无法加载。",
        "用 {program} 运行这个模型，再用 --server 连接；或选择普通 safetensors 格式的模型。",
    ),
    "engine.weights_missing": (
        "模型不完整",
        "{files} 个权重文件缺少 {missing} 个，其中有 {file}。",
        "重新下载或复制模型。",
    ),
    "engine.half_downloaded": (
        "下载未完成",
        "{model} 的下载中断了。",
        "加载它即可继续下载；已完成的文件不会重新下载。",
    ),
    "engine.corrupt_weights": (
        "模型已损坏",
        "{file} 不是完整的 safetensors 文件：{detail}。",
        _AGAIN,
    ),
    "engine.missing_tensors": (
        "模型不完整",
        "权重文件缺少 {tensors} 个张量，其中有 {tensor}。",
        _RESAVE + _AGAIN,
    ),
    "engine.other_shapes": (
        "权重与 config.json 不符",
        "{tensor} 在权重文件中的形状是 {found}，按 config.json 应为 {wanted}；共有 {tensors} 个张量不符。",
        _RESAVE + _AGAIN,
    ),
    "engine.cannot_build": (
        "无法构建模型",
        "transformers 无法按 config.json 和 generation_config.json 构建模型：{detail}。",
        "如果改过这两个文件，把它们还原；否则" + _AGAIN,
    ),
    "engine.remote_code_failed": (
        "模型自带的代码出错",
        "模型自带的 Python 代码执行失败：{detail}。",
        "它可能需要其他版本的 transformers。重新下载模型，或换一个模型。",
    ),
    "engine.bad_config": (
        "无法读取 config.json",
        "{path} 中的 config.json 无效：{detail}。",
        _AGAIN,
    ),
    "engine.unknown_architecture": (
        "未知的模型架构",
        "已安装的 transformers {installed} 不支持模型类型 {model_type}。",
        "检查 config.json 中的 model_type，或换一个模型。",
    ),
    "engine.too_new": (
        "模型太新",
        "已安装的 transformers {installed} 不支持模型类型 {model_type}；模型用 transformers {saved_with} 保存。",
        "换一个模型，或升级到自带 transformers {saved_with} 以上版本的 qwen-tui。",
    ),
    "engine.not_causal": (
        "不是对话模型",
        "这个模型（{architecture}）不能生成文本。",
        _CHOOSE,
    ),
    "engine.embeds": (
        "不是对话模型",
        "这个模型（{architecture}）计算检索用的向量，不能生成文本。",
        _CHOOSE,
    ),
    "engine.classifies": (
        "不是对话模型",
        "这个模型（{architecture}）用于文本分类或打分，不能生成文本。",
        _CHOOSE,
    ),
    "engine.encoder_decoder": (
        "不是对话模型",
        "这个模型（{architecture}）把一段文本变成另一段（例如翻译），不能对话。",
        _CHOOSE,
    ),
    "engine.not_only_text": (
        "多模态模型",
        "这个模型（{architecture}）还接受图片或音频；这里只支持纯文本模型。",
        _CHOOSE,
    ),
    "engine.remote_code_wanted": (
        "模型需要运行自带代码",
        "这个模型需要运行自带的 Python 代码，目前不允许。",
        "如果信任来源，启动时加上 --trust-remote-code。",
    ),
    "engine.no_tokenizer": (
        "缺少分词器",
        "{path} 中没有可用的分词器。",
        "重新下载或复制模型，要有 tokenizer.json 和 tokenizer_config.json。",
    ),
    "engine.tokenizer_package": (
        "缺少 Python 包",
        "分词器只有 tokenizer.model，读取它需要的 Python 包没有安装：{packages}。",
        "在 qwen-tui 的环境中运行 pip install {packages}，或换一个模型。",
    ),
    "engine.package_missing": (
        "缺少 Python 包",
        "无法加载这个模型：{detail}。",
        "在 qwen-tui 的环境中安装这个包，或换一个模型。",
    ),
    # The hub
    "engine.not_on_hub": (
        "Hugging Face 上没有这个模型",
        "Hugging Face 上没有 {model}，或者它是私有模型。",
        "检查名称，要带所有者，例如 Qwen/Qwen2.5-7B-Instruct。私有模型先登录：hf auth login。",
    ),
    "engine.gated": (
        "模型需要授权",
        "使用 {model} 要先同意它的条款。",
        "在 {page} 同意条款，再在本机登录：hf auth login。",
    ),
    "engine.bad_token": (
        "Hugging Face 拒绝了访问令牌",
        "本机的访问令牌（HF_TOKEN 或 hf auth login）无效，无法获取 {model}。",
        "重新登录：hf auth login，或取消设置 HF_TOKEN。",
    ),
    "engine.socks_proxy": (
        "SOCKS 代理缺少 Python 包",
        "连接 Hugging Face 要经过 SOCKS 代理 {proxy}，但没有安装 Python 包 socksio。",
        "在 qwen-tui 的环境中安装 socksio，或把 HTTPS_PROXY 设为该代理的 HTTP 端口。",
    ),
    "engine.hub_silent": (
        "Hugging Face 没有给出有效响应",
        "{model} 不在本机，Hugging Face 也没有给出有效响应：{detail}。",
        "稍后重试，" + _LOCAL,
    ),
    "engine.offline": (
        "本机没有这个模型",
        "{model} 尚未下载，而下载已关闭（--offline 或 HF_HUB_OFFLINE）。",
        "去掉这项设置后启动，" + _LOCAL,
    ),
    "engine.no_network": (
        "无法连接 Hugging Face",
        "{model} 不在本机，也无法连接 Hugging Face：{detail}。",
        "检查网络，" + _LOCAL,
    ),
    "engine.download_broke": (
        "下载失败",
        "无法下载 {model}：{detail}。",
        "重试即可；已完成的文件不会重新下载。",
    ),
    "engine.disk_full": (
        "磁盘空间不足",
        "下载需要 {needed_gb} GB，{path} 只有 {free_gb} GB 空闲。",
        "腾出空间，或把 HF_HOME 设为更大磁盘上的文件夹。",
    ),
    "engine.disk_full_midway": (
        "磁盘已满",
        "下载 {model} 时磁盘已满。",
        "腾出空间后重试；已完成的文件不会重新下载。",
    ),
    "engine.bad_tokenizer": (
        "无法读取分词器",
        "{path} 中的分词器无效：{detail}。",
        _AGAIN,
    ),
    "engine.bad_template": (
        "无法读取对话模板",
        "{path} 中的对话模板无效：{detail}。",
        "如果改过模板，改正它；否则" + _AGAIN,
    ),
    # A reply
    "engine.no_numbers": (
        "模型算出了 NaN",
        "logits 不是有限数：用 float16 时是溢出，否则可能是权重损坏。",
        "换一种量化，或换支持 bfloat16 或 float32 的设备。",
    ),
    "engine.no_such_row": (
        "分词器与模型不符",
        "提示词中有编号为 {token} 的 token，而模型的词嵌入只有 {rows} 行。",
        "换用训练这个模型时的分词器。",
    ),
    "engine.prompt_too_long": (
        "超出上下文窗口",
        "提示词有 {tokens} token，上下文窗口只有 {window}。",
        "缩短消息，或在设置中调低“记忆 token 数”。",
    ),
    "engine.template_refused": (
        "对话模板不接受",
        "模型的对话模板不接受这段对话：{detail}。",
        "去掉系统提示词再试，或新建对话。",
    ),
    "engine.nothing_before": (
        "没有可回复的消息",
        "对话以回复开头，而这个模型的对话模板要求先有提问。",
        "先提一个问题。",
    ),
}
