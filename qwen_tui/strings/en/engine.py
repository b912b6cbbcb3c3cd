"""English sentences and errors of opening a model and of its replies."""

SENTENCES: dict[str, str] = {
    "engine.note.guide": (
        "This is the small built-in model. For a real one: --model Qwen/Qwen2.5-7B-Instruct (downloads 15 GB)."
    ),
    "engine.note.guide_no_room": (
        "This is the small built-in model: Qwen2.5-7B-Instruct is here, but no GPU has room for it. "
        "--model with a smaller one, such as Qwen/Qwen2.5-0.5B-Instruct, may fit."
    ),
    "engine.choice.whole": "{dtype}: {weights_gb} GB of weights, {free_gb} GB were free on {devices}.",
    "engine.choice.packs": (
        "{form}, {weights_gb} GB: in {dtype} it has {whole_gb} GB, too much for the {free_gb} GB free on {devices}."
    ),
    "engine.choice.packed": "As it was saved: {weights_gb} GB of quantized weights, {free_gb} GB were free.",
    "engine.choice.spread": "Its layers are spread over {devices}, since one alone has too little room.",
    "engine.choice.window": (
        "There is memory for {tokens:,} tokens of context; its own window would be {window:,}."
    ),
}

_CHOOSE = (
    "Choose a model for chat, such as Qwen/Qwen2.5-7B-Instruct; the list of models shows which there are."
)

_AGAIN = "Copy the model again; if it came from the hub, remove it with: hf cache rm model/NAME, then load it anew."

_LOG = "The log file has the details."

ERRORS: dict[str, tuple[str, str, str]] = {
    # The worker process
    "engine.cannot_start": (
        "The engine cannot start",
        "Its process could not be started: {detail}.",
        "Close other programs to free memory, then try again.",
    ),
    "engine.import_failed": (
        "The engine cannot start",
        "Its libraries cannot be loaded: {detail}.",
        "Install qwen-tui again, in an environment of its own.",
    ),
    "engine.worker_died": (
        "The engine is gone",
        "Its process {how}.",
        "Send again to load the model once more; if the machine ran out of memory, choose a smaller model or 4bit.",
    ),
    "engine.closed": ("The engine is closed", "The model has been unloaded.", "Load a model to go on."),
    "engine.not_ready": ("No model yet", "No model is loaded.", "Wait until one is, or choose one."),
    "engine.no_answer": (
        "The engine does not answer",
        "Its process answered something else than it was asked.",
        "Load the model again.",
    ),
    "engine.hung": (
        "The engine does not answer",
        "Its process was silent for {seconds} seconds, and was ended.",
        "What was written is kept. Send again to load the model once more.",
    ),
    "engine.garbled": (
        "The engine is broken",
        "What came from its process could not be read, and it was ended.",
        "What was written is kept. Send again to load the model once more.",
    ),
    "engine.keeps_dying": (
        "The engine keeps ending",
        "Its process ended {times} times, each time soon after the model was loaded.",
        "It is not started again by itself. Choose another model, or send again to try once more.",
    ),
    "engine.stopped_early": (
        "Stopped",
        "The model had not been asked yet.",
        "Send again when you like.",
    ),
    "engine.did_not_stop": (
        "The engine had to be ended",
        "The reply did not end within {seconds} seconds after it was stopped.",
        "What was written is kept. Send again to load the model once more.",
    ),
    "engine.unexpected": ("The engine failed", "An unexpected error: {detail}.", _LOG),
    # Which model
    "engine.load_stopped": (
        "Loading was stopped",
        "The model was not loaded.",
        "Choose a model to load one.",
    ),
    "engine.folder_missing": (
        "No such folder",
        "There is no folder {path}.",
        "Check the path; a model on the hub is named as in Qwen/Qwen2.5-7B-Instruct.",
    ),
    "engine.not_a_folder": (
        "Not a folder",
        "{path} is a file, not a folder.",
        "Give the folder that holds config.json and the safetensors files.",
    ),
    "engine.no_model_in_folder": (
        "No model here",
        "{path} holds no model that can be used: {missing} is not there.",
        "Give a folder that holds config.json, the tokenizer and the safetensors files.",
    ),
    "engine.adapter": (
        "Only an adapter",
        "{path} holds an adapter (LoRA) for {base}, not a whole model.",
        "Merge the two with peft (merge_and_unload, then save_pretrained), and give the folder that this makes.",
    ),
    "engine.adapter_alone": (
        "Only an adapter",
        "{path} holds an adapter (LoRA), not a whole model.",
        "Merge it into its model with peft (merge_and_unload, then save_pretrained), and give the folder that "
        "this makes.",
    ),
    "engine.not_a_name": (
        "Not a model's name",
        "{model} is neither a folder nor a name on the hub.",
        "Give guide, a folder, or a name such as Qwen/Qwen2.5-7B-Instruct.",
    ),
    "engine.unreadable": (
        "The model cannot be read",
        "{path} could not be opened: {detail}.",
        "Check the file's permissions.",
    ),
    # What is in the folder
    "engine.not_safetensors": (
        "Not in safetensors format",
        "The weights are in {file}, which can run code when it is opened or is meant for another program.",
        "Choose a model, or a revision of it, that has safetensors files.",
    ),
    "engine.weights_missing": (
        "The model is incomplete",
        "{missing} of its {files} weight files are missing, {file} among them.",
        "Download or copy the model again.",
    ),
    "engine.half_downloaded": (
        "Not whole yet",
        "A download of {model} was begun and did not come to its end.",
        "Load it to download the rest; the files that are finished are kept.",
    ),
    "engine.corrupt_weights": (
        "The model is damaged",
        "{file} is not a whole safetensors file: {detail}.",
        _AGAIN,
    ),
    "engine.missing_tensors": (
        "The model is incomplete",
        "Tensors are missing in its weight files: {tensors} in all, {tensor} among them.",
        "If it is your own, save it again with save_pretrained. " + _AGAIN,
    ),
    "engine.other_shapes": (
        "Weights and config.json differ",
        "{tensor} has the shape {found} in the weight files, and {wanted} by config.json; tensors like this: "
        "{tensors}.",
        "If it is your own, save weights and config.json together, with save_pretrained. " + _AGAIN,
    ),
    "engine.cannot_build": (
        "The model cannot be built",
        "transformers cannot make a model of what its config.json and generation_config.json say: {detail}.",
        "If you have edited these files, take that back. " + _AGAIN,
    ),
    "engine.remote_code_failed": (
        "The model's own code failed",
        "The Python code that comes with this model broke off: {detail}.",
        "It may be for another version of transformers; download the model again, or choose another.",
    ),
    "engine.bad_config": (
        "The model's config.json cannot be read",
        "config.json in {path} is not usable: {detail}.",
        _AGAIN,
    ),
    "engine.unknown_architecture": (
        "Unknown architecture",
        "transformers {installed}, which is installed, does not know the model type {model_type}.",
        "Check model_type in config.json, or choose another model.",
    ),
    "engine.too_new": (
        "The model is too new",
        "transformers {installed}, which is installed, does not know the model type {model_type}; "
        "the model was saved with transformers {saved_with}.",
        "Choose another model, or a version of qwen-tui that comes with transformers {saved_with} or newer.",
    ),
    "engine.not_causal": (
        "Not a chat model",
        "This model ({architecture}) does not write text.",
        _CHOOSE,
    ),
    "engine.embeds": (
        "Not a chat model",
        "This model ({architecture}) turns text into vectors, for searching; it does not write.",
        _CHOOSE,
    ),
    "engine.classifies": (
        "Not a chat model",
        "This model ({architecture}) sorts or scores texts; it does not write.",
        _CHOOSE,
    ),
    "engine.encoder_decoder": (
        "Not a chat model",
        "This model ({architecture}) turns one text into another, as in translating; it does not converse.",
        _CHOOSE,
    ),
    "engine.not_only_text": (
        "Not for text alone",
        "This model ({architecture}) takes pictures or sound too, and this program loads models for text alone.",
        _CHOOSE,
    ),
    "engine.remote_code_wanted": (
        "The model brings its own code",
        "This model needs Python code that comes with it, and running that is off.",
        "If you trust its source, start with --trust-remote-code.",
    ),
    "engine.no_tokenizer": (
        "The tokenizer is missing",
        "There is no usable tokenizer in {path}.",
        "Download or copy the model again, with tokenizer.json and tokenizer_config.json.",
    ),
    "engine.package_missing": (
        "A package is missing",
        "This model cannot be loaded here: {detail}.",
        "Install that package beside qwen-tui, or choose another model.",
    ),
    # The hub
    "engine.not_on_hub": (
        "Not found on the hub",
        "{model} does not exist on the hub, or is private.",
        "Check the name, which begins with its owner, as in Qwen/Qwen2.5-7B-Instruct; for a private model "
        "log in with: hf auth login.",
    ),
    "engine.gated": (
        "Access must be asked for",
        "{model} is given out only to people who have accepted its conditions.",
        "Accept them at {page}, then log in on this machine with: hf auth login.",
    ),
    "engine.bad_token": (
        "The hub does not accept the token",
        "The token of this machine (HF_TOKEN, or of hf auth login) is not valid; {model} could not be asked for.",
        "Log in again with: hf auth login, or unset HF_TOKEN.",
    ),
    "engine.hub_silent": (
        "The hub does not answer",
        "{model} is not on this machine, and the hub, which can be reached, gave no usable answer: {detail}.",
        "Try again in a while, or choose a model that is here, such as guide.",
    ),
    "engine.offline": (
        "Not on this machine",
        "{model} is not downloaded, and downloading is turned off (--offline or HF_HUB_OFFLINE).",
        "Start without that, or choose a model that is here, such as guide.",
    ),
    "engine.no_network": (
        "The hub cannot be reached",
        "{model} is not on this machine, and the hub did not answer: {detail}.",
        "Check the network, or choose a model that is here, such as guide.",
    ),
    "engine.download_broke": (
        "The download broke off",
        "{model} could not be downloaded: {detail}.",
        "Try again: the files that are finished are kept.",
    ),
    "engine.disk_full": (
        "The disk is full",
        "There is no room for the download: {needed_gb} GB are needed, and {path} has {free_gb} GB free.",
        "Free some space, or set HF_HOME to a larger disk.",
    ),
    "engine.disk_full_midway": (
        "The disk is full",
        "The disk ran full while {model} was downloaded.",
        "Free some space and try again: the files that are finished are kept.",
    ),
    "engine.bad_tokenizer": (
        "The tokenizer cannot be read",
        "The tokenizer in {path} is not usable: {detail}.",
        _AGAIN,
    ),
    "engine.bad_template": (
        "The chat template cannot be read",
        "The chat template in {path} is not usable: {detail}.",
        "If you have edited the template, correct it there. " + _AGAIN,
    ),
    # Device and memory
    "engine.no_such_device": (
        "No such device",
        "There is no {device} here.",
        "Choose one of: {available}.",
    ),
    "engine.no_gpu": (
        "No GPU can be used",
        "{device} was asked for, and no NVIDIA GPU with a driver was found here.",
        "Check it with nvidia-smi (CUDA_VISIBLE_DEVICES may hide it), or choose the device auto or cpu.",
    ),
    "engine.torch_for_cpu": (
        "No GPU can be used",
        "{device} was asked for, and the PyTorch that is installed is a build without CUDA.",
        "Install PyTorch with CUDA beside qwen-tui, or choose the device auto or cpu.",
    ),
    "engine.does_not_fit": (
        "The model does not fit",
        "It needs about {needed_gb} GB, and {device} has {free_gb} GB free.",
        "Choose 4bit, a smaller model, or a device with more memory.",
    ),
    "engine.does_not_fit_packed": (
        "The model does not fit",
        "Even quantized it needs about {needed_gb} GB, and {device} has {free_gb} GB free.",
        "Choose a smaller model, or a device with more memory; the list of models shows what fits.",
    ),
    "engine.bitsandbytes": (
        "Quantizing does not work here",
        "bitsandbytes cannot be used on {device}: {detail}.",
        "Choose the quantization none, or another device.",
    ),
    "engine.out_of_memory": (
        "Out of memory",
        "The model did not fit while it was loaded: {detail}.",
        "Choose 4bit or a smaller model, or end other programs that use the device.",
    ),
    "engine.out_of_memory_reply": (
        "Out of memory",
        "There was no room on the device for this prompt and its reply.",
        "The model is still loaded: send less history, or a shorter message.",
    ),
    "engine.device_broken": (
        "The device failed",
        "The GPU reported an error that only a restart of the engine clears: {detail}.",
        "Send again to load the model once more.",
    ),
    # A reply
    "engine.no_numbers": (
        "The model computed NaN",
        "Its logits are not finite numbers. In float16 that is an overflow; else its weights may be damaged.",
        "Try another quantization, or a device that computes in bfloat16 or float32.",
    ),
    "engine.no_such_row": (
        "The tokenizer does not fit the model",
        "The prompt has the token {token}, and the model's embedding has only {rows} rows.",
        "The checkpoint's tokenizer belongs to another model: use the one that the model was trained with.",
    ),
    "engine.prompt_too_long": (
        "Too long for the context window",
        "The prompt has {tokens} tokens, and the model's window is {window}.",
        "Shorten the message, or send less history.",
    ),
    "engine.template_refused": (
        "The chat template refuses these messages",
        "The model's own chat template does not take this conversation: {detail}.",
        "Try without a system prompt, or begin a new conversation.",
    ),
    "engine.nothing_before": (
        "Nothing to reply to",
        "The reply is the first message, and this model's chat template begins with a question.",
        "Ask something instead.",
    ),
}
