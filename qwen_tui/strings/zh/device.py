"""Chinese sentences and errors of what a model runs on: memory, and how it is decoded."""

SENTENCES: dict[str, str] = {
    "models.decoding": "解码：{path}。",
    "header.slow": "慢：{path}",
    "header.decoding.graph": "CUDA graph",
    "header.decoding.generate": "generate()",
    "doctor.decoding.model": "{name}（{device}）：{path}",
    "engine.decoding.several_devices": (
        "速度慢：模型分布在多个设备上。放进一块 GPU（必要时用 4 位量化）会快得多。"
    ),
    "engine.decoding.changing_rope": (
        "速度慢：它的旋转位置编码随文本长度变化，只能用 transformers 的 generate() 解码。"
    ),
    "engine.decoding.other_cache": "速度慢：它需要的缓存类型只有 transformers 的 generate() 支持。",
    "engine.decoding.generation_config": (
        "速度慢：它的 generation_config 设置了 {names}，只有 transformers 的 generate() 支持。"
    ),
    "engine.decoding.graph_failed": (
        "速度慢：它无法在 CUDA graph 中运行（{detail}），只能用 transformers 的 generate() 解码。"
    ),
    "engine.decoding.no_compiler": (
        "没有达到最快：加速内核需要 C 编译器。安装 gcc 等编译器，再重新加载模型。"
    ),
    "engine.decoding.old_gpu": "没有达到最快：加速内核需要计算能力 8.0 或更高的 GPU。",
    "engine.decoding.kernels_failed": "没有达到最快：加速内核无法运行这个模型（{detail}）。",
    # How it is loaded, and what else was possible
    "engine.choice.whole": "{dtype}：权重 {weights_gb} GB；加载前 {devices} 空闲 {free_gb} GB。",
    "engine.choice.packs": (
        "{form}：权重 {weights_gb} GB；用 {dtype} 需要 {whole_gb} GB，{devices} 只有 {free_gb} GB 空闲，装不下。"
    ),
    "engine.choice.packed": "按保存时的量化加载：权重 {weights_gb} GB；加载前空闲 {free_gb} GB。",
    "engine.choice.dequantized": (
        "FP8 权重，读取时还原为 {dtype}：权重 {weights_gb} GB；加载前 {devices} 空闲 {free_gb} GB。"
    ),
    "engine.choice.spread": "模型各层分布在 {devices} 上：单块 GPU 显存不够。",
    "engine.choice.window": "显存或内存可容纳 {tokens:,} token 上下文；模型支持 {window:,} token。",
    "engine.choice.or_spread": (
        "用 {dtype}（{weights_gb} GB）要分布到 {count} 块 GPU 上，解码会慢好几倍；上下文可达 {tokens:,} token。"
    ),
    "engine.choice.or_faster": (
        "用 4 位量化（{weights_gb} GB）可以只放在 {devices} 上，解码会快好几倍；上下文可达 {tokens:,} token。"
    ),
    "engine.choice.or_longer": ("用 4 位量化（{weights_gb} GB）可容纳 {tokens:,} token 上下文。"),
}

_RELOAD = "重新发送即可再次加载模型。"

ERRORS: dict[str, tuple[str, str, str]] = {
    # Device and memory
    "engine.no_such_device": (
        "没有这个设备",
        "本机没有设备 {device}。",
        "可选：{available}。",
    ),
    "engine.no_gpu": (
        "没有可用的 GPU",
        "指定了 {device}，但没有找到装有驱动的 NVIDIA GPU。",
        "检查 nvidia-smi 和 CUDA_VISIBLE_DEVICES，或把设备设为 auto 或 cpu。",
    ),
    "engine.torch_for_cpu": (
        "没有可用的 GPU",
        "指定了 {device}，但已安装的 PyTorch 不带 CUDA。",
        "在 qwen-tui 的环境中安装带 CUDA 的 PyTorch，或把设备设为 auto 或 cpu。",
    ),
    "engine.does_not_fit": (
        "模型装不下",
        "模型约需 {needed_gb} GB，{device} 只有 {free_gb} GB 空闲。",
        "改用 4 位量化（4bit）、小一些的模型，或显存（内存）更大的设备。",
    ),
    "engine.does_not_fit_packed": (
        "模型装不下",
        "即使量化，模型也约需 {needed_gb} GB，{device} 只有 {free_gb} GB 空闲。",
        "换小一些的模型，或显存（内存）更大的设备；运行 qwen-tui models 查看装得下的模型。",
    ),
    "engine.does_not_fit_dequantized": (
        "模型装不下",
        "FP8 权重还原后，模型约需 {needed_gb} GB，{device} 只有 {free_gb} GB 空闲。",
        "换用同一模型的非 FP8 版本：加载时可以量化为 4 位。",
    ),
    "engine.bitsandbytes": (
        "无法量化",
        "bitsandbytes 在 {device} 上不可用：{detail}。",
        "关闭量化（none），或换一个设备。",
    ),
    "engine.out_of_memory": (
        "内存或显存不足",
        "加载模型时内存或显存耗尽：{detail}。",
        "改用 4 位量化（4bit）或小一些的模型，或关闭占用这个设备的其他程序。",
    ),
    "engine.out_of_memory_reply": (
        "内存或显存不足",
        "设备装不下这段提示词和它的回复。",
        "模型仍已加载。缩短消息，或在设置中调低“记忆 token 数”。",
    ),
    "engine.device_broken": (
        "GPU 出错",
        "GPU 报告了错误，必须重启引擎：{detail}。",
        _RELOAD,
    ),
}
