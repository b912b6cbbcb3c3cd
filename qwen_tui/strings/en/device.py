"""English sentences and errors of what a model runs on: memory, and how it is decoded."""

SENTENCES: dict[str, str] = {
    "models.decoding": "Decoding: {path}.",
    "header.slow": "slow: {path}",
    "header.decoding.graph": "CUDA graph",
    "header.decoding.generate": "generate()",
    "doctor.decoding.model": "{name} on {device}: {path}",
    "engine.decoding.several_devices": (
        "Slow: the model is split across several devices. On one GPU (in 4-bit if needed) it is far faster."
    ),
    "engine.decoding.changing_rope": (
        "Slow: its rotary embedding depends on the length of the text, so it runs through transformers' generate()."
    ),
    "engine.decoding.other_cache": (
        "Slow: it needs a kind of cache that only transformers' generate() supports."
    ),
    "engine.decoding.generation_config": (
        "Slow: its generation_config sets {names}, which only transformers' generate() supports."
    ),
    "engine.decoding.graph_failed": (
        "Slow: it cannot run in a CUDA graph ({detail}), so it runs through transformers' generate()."
    ),
    "engine.decoding.no_compiler": (
        "Slower than possible: the fast kernels need a C compiler. Install one, such as gcc, and reload the model."
    ),
    "engine.decoding.old_gpu": "Slower than possible: the fast kernels need compute capability 8.0 or higher.",
    "engine.decoding.kernels_failed": "Slower than possible: the fast kernels cannot run this model ({detail}).",
    # How it is loaded, and what else was possible
    "engine.choice.whole": "{dtype}: {weights_gb} GB of weights; {free_gb} GB were free on {devices}.",
    "engine.choice.packs": (
        "{form}: {weights_gb} GB of weights; in {dtype} the {whole_gb} GB would not fit in the "
        "{free_gb} GB free on {devices}."
    ),
    "engine.choice.packed": "Quantized as saved: {weights_gb} GB of weights; {free_gb} GB were free.",
    "engine.choice.dequantized": (
        "FP8 weights, read as {dtype}: {weights_gb} GB of weights; {free_gb} GB were free on {devices}."
    ),
    "engine.choice.spread": "The layers are split across {devices}; one GPU alone has too little memory.",
    "engine.choice.window": "Memory allows {tokens:,} tokens of context; the model supports {window:,}.",
    "engine.choice.or_spread": (
        "In {dtype} ({weights_gb} GB) it would be split across {count} GPUs and decode several times slower, with "
        "{tokens:,} tokens of context."
    ),
    "engine.choice.or_faster": (
        "In 4-bit ({weights_gb} GB) it would fit on {devices} alone and decode several times faster, with "
        "{tokens:,} tokens of context."
    ),
    "engine.choice.or_longer": (
        "In 4-bit ({weights_gb} GB) there would be memory for {tokens:,} tokens of context."
    ),
}

_RELOAD = "Send again to reload the model."

ERRORS: dict[str, tuple[str, str, str]] = {
    # Device and memory
    "engine.no_such_device": (
        "No such device",
        "This machine has no device {device}.",
        "Choose one of: {available}.",
    ),
    "engine.no_gpu": (
        "No usable GPU",
        "{device} was requested, but no NVIDIA GPU with a driver was found.",
        "Check nvidia-smi and CUDA_VISIBLE_DEVICES, or choose the device auto or cpu.",
    ),
    "engine.torch_for_cpu": (
        "No usable GPU",
        "{device} was requested, but the installed PyTorch was built without CUDA.",
        "Install PyTorch with CUDA in the environment of qwen-tui, or choose the device auto or cpu.",
    ),
    "engine.does_not_fit": (
        "The model does not fit",
        "The model needs about {needed_gb} GB, but {device} has {free_gb} GB free.",
        "Choose 4bit, a smaller model, or a device with more memory.",
    ),
    "engine.does_not_fit_packed": (
        "The model does not fit",
        "Even quantized, the model needs about {needed_gb} GB, but {device} has {free_gb} GB free.",
        "Choose a smaller model, or a device with more memory; qwen-tui models lists what fits.",
    ),
    "engine.does_not_fit_dequantized": (
        "The model does not fit",
        "Read from FP8, the model needs about {needed_gb} GB, but {device} has {free_gb} GB free.",
        "Choose the same model without FP8: it can be quantized to 4 bits while it is loaded.",
    ),
    "engine.bitsandbytes": (
        "Quantization not available",
        "bitsandbytes does not work on {device}: {detail}.",
        "Set the quantization to none, or choose another device.",
    ),
    "engine.out_of_memory": (
        "Out of memory",
        "Memory ran out while loading the model: {detail}.",
        "Choose 4bit or a smaller model, or close other programs that use the device.",
    ),
    "engine.out_of_memory_reply": (
        "Out of memory",
        "The device has too little memory for this prompt and its reply.",
        "The model is still loaded. Shorten the message, or lower “Memory in tokens” in the settings.",
    ),
    "engine.device_broken": (
        "The GPU failed",
        "The GPU reported an error that requires restarting the engine: {detail}.",
        _RELOAD,
    ),
}
