"""English sentences and errors of opening a model and of its replies."""

SENTENCES: dict[str, str] = {
    "engine.note.guide": (
        "This is the small built-in model. For a full-size one: --model Qwen/Qwen2.5-7B-Instruct (15 GB download)."
    ),
    "engine.note.guide_no_room": (
        "This is the small built-in model: no known model on this machine fits on a GPU. "
        "A smaller model may fit: --model Qwen/Qwen2.5-0.5B-Instruct."
    ),
    "engine.note.used_last": "Loaded because it was used last; --model chooses another.",
    # How the process ended, and why a file cannot be used: the middle of a sentence
    "engine.ended.code": "exit code {code}",
    "engine.ended.signal": "{signal}",
    "engine.damage.not_an_object": "not a JSON object",
    "engine.damage.no_model_type": "model_type is missing",
    "engine.damage.index": "it lists a file that is not in the folder",
    "engine.damage.no_header": "the header is missing",
    "engine.damage.cut_off": "{found:,} of {expected:,} bytes",
    "engine.damage.bad_header": "the header is not valid",
    "engine.damage.no_dtype": "the header has no dtype",
    "engine.damage.too_large": "the file is too large",
}

_CHOOSE = "Choose a chat model, such as Qwen/Qwen2.5-7B-Instruct; qwen-tui models lists more."

_AGAIN = "Copy the model again. If it came from the hub, run hf cache rm model/NAME, then load it again."

_RESAVE = "If the model is yours, save it again with save_pretrained. "

_RELOAD = "Send again to reload the model."

_SAVED = "The reply so far is saved. "

_LOCAL = "or choose a model on this machine, such as guide."

_LOG = "See the log file for details."

ERRORS: dict[str, tuple[str, str, str]] = {
    # The worker process
    "engine.cannot_start": (
        "Cannot start the engine",
        "The engine process could not be started: {detail}.",
        "Close other programs to free memory, then try again.",
    ),
    "engine.import_failed": (
        "Cannot start the engine",
        "Its libraries could not be imported: {detail}.",
        "Reinstall qwen-tui in its own environment.",
    ),
    "engine.worker_died": (
        "The engine stopped unexpectedly",
        "The engine process ended ({how}).",
        "Send again to reload the model. If memory ran out, choose a smaller model or 4bit.",
    ),
    "engine.closed": ("Model unloaded", "The model was unloaded.", "Load a model to continue."),
    "engine.not_ready": (
        "No model loaded",
        "No model is loaded.",
        "Wait for the model to load, or choose one.",
    ),
    "engine.no_answer": (
        "Unexpected answer from the engine",
        "The engine's answer did not match the request.",
        "Reload the model.",
    ),
    "engine.hung": (
        "The engine is not responding",
        "The engine did not respond for {seconds} seconds and was stopped.",
        _SAVED + _RELOAD,
    ),
    "engine.garbled": (
        "The engine sent invalid data",
        "Data from the engine could not be read, so the engine was stopped.",
        _SAVED + _RELOAD,
    ),
    "engine.keeps_dying": (
        "The engine keeps crashing",
        "The engine crashed {times} times, each time soon after loading the model.",
        "It is no longer restarted automatically. Choose another model, or send again to retry.",
    ),
    "engine.stopped_early": (
        "Stopped",
        "The request was stopped before it reached the model.",
        "Send it again.",
    ),
    "engine.did_not_stop": (
        "The engine was stopped",
        "The reply did not stop within {seconds} seconds, so the engine was stopped.",
        _SAVED + _RELOAD,
    ),
    "engine.unexpected": ("The engine failed", "Unexpected error: {detail}.", _LOG),
    # Which model
    "engine.load_stopped": (
        "Loading stopped",
        "The model was not loaded.",
        "Choose a model to load.",
    ),
    "engine.folder_missing": (
        "Folder not found",
        "The folder {path} does not exist.",
        "Check the path. A model on the hub is named like Qwen/Qwen2.5-7B-Instruct.",
    ),
    "engine.not_a_folder": (
        "Not a folder",
        "{path} is a file, not a folder.",
        "Use the folder that contains config.json and the safetensors files.",
    ),
    "engine.no_model_in_folder": (
        "No model found",
        "{path} does not contain a usable model: {missing} is missing.",
        "Use a folder with config.json, the tokenizer and the safetensors files.",
    ),
    "engine.adapter": (
        "Adapter without its model",
        "{path} contains a LoRA adapter for {base}, not a complete model.",
        "Merge them with peft (merge_and_unload, then save_pretrained), and load the resulting folder.",
    ),
    "engine.adapter_alone": (
        "Adapter without its model",
        "{path} contains a LoRA adapter, not a complete model.",
        "Merge it into its base model with peft (merge_and_unload, then save_pretrained), and load the "
        "resulting folder.",
    ),
    "engine.not_a_name": (
        "Not a model name",
        "{model} is neither a folder nor a name on the hub.",
        "Use guide, a folder, or a name such as Qwen/Qwen2.5-7B-Instruct.",
    ),
    "engine.unreadable": (
        "Cannot read the model",
        "{path} could not be opened: {detail}.",
        "Check the file's permissions.",
    ),
    # What is in the folder
    "engine.not_safetensors": (
        "Not in safetensors format",
        "The weights are in {file}. Files of this kind can run code when opened, or are meant for another program.",
        "Choose a model or revision with safetensors files.",
    ),
    "engine.other_format": (
        "Format not supported",
        "The weights are in the format {form}, which qwen-tui does not load.",
        "Run this model with {program} and connect with --server, or choose one in ordinary safetensors.",
    ),
    "engine.weights_missing": (
        "Incomplete model",
        "{missing} of {files} weight {files:file is|files are} missing, including {file}.",
        "Download or copy the model again.",
    ),
    "engine.half_downloaded": (
        "Download not finished",
        "The download of {model} was interrupted.",
        "Load the model to download the rest; finished files are not downloaded again.",
    ),
    "engine.corrupt_weights": (
        "Damaged model",
        "{file} is not a complete safetensors file: {detail}.",
        _AGAIN,
    ),
    "engine.missing_tensors": (
        "Incomplete model",
        "{tensors} {tensors:tensor is|tensors are} missing from the weight files, including {tensor}.",
        _RESAVE + _AGAIN,
    ),
    "engine.other_shapes": (
        "Weights do not match config.json",
        "{tensor} has shape {found} in the weight files but {wanted} in config.json; {tensors} "
        "{tensors:tensor differs|tensors differ}.",
        _RESAVE + _AGAIN,
    ),
    "engine.cannot_build": (
        "Cannot build the model",
        "transformers cannot build a model from config.json and generation_config.json: {detail}.",
        "If you edited these files, undo your changes. " + _AGAIN,
    ),
    "engine.remote_code_failed": (
        "The model's code failed",
        "The Python code that comes with this model failed: {detail}.",
        "It may need another version of transformers. Download the model again, or choose another.",
    ),
    "engine.bad_config": (
        "Cannot read config.json",
        "config.json in {path} is not valid: {detail}.",
        _AGAIN,
    ),
    "engine.unknown_architecture": (
        "Unknown architecture",
        "The installed transformers {installed} does not support the model type {model_type}.",
        "Check model_type in config.json, or choose another model.",
    ),
    "engine.too_new": (
        "The model is too new",
        "The installed transformers {installed} does not support the model type {model_type}; "
        "the model was saved with transformers {saved_with}.",
        "Choose another model, or update qwen-tui to a version with transformers {saved_with} or newer.",
    ),
    "engine.not_causal": (
        "Not a chat model",
        "This model ({architecture}) does not generate text.",
        _CHOOSE,
    ),
    "engine.embeds": (
        "Not a chat model",
        "This model ({architecture}) computes embeddings for search; it does not generate text.",
        _CHOOSE,
    ),
    "engine.classifies": (
        "Not a chat model",
        "This model ({architecture}) classifies or scores text; it does not generate text.",
        _CHOOSE,
    ),
    "engine.encoder_decoder": (
        "Not a chat model",
        "This model ({architecture}) transforms one text into another, as in translation; it cannot chat.",
        _CHOOSE,
    ),
    "engine.not_only_text": (
        "Multimodal model",
        "This model ({architecture}) also accepts images or audio; only text models are supported.",
        _CHOOSE,
    ),
    "engine.remote_code_wanted": (
        "The model needs its own code",
        "This model needs the Python code that comes with it, which is not allowed to run.",
        "If you trust its source, start with --trust-remote-code.",
    ),
    "engine.no_tokenizer": (
        "Tokenizer missing",
        "{path} does not contain a usable tokenizer.",
        "Download or copy the model again, with tokenizer.json and tokenizer_config.json.",
    ),
    "engine.tokenizer_package": (
        "Package missing",
        "The tokenizer exists only as tokenizer.model, which needs Python packages not installed here: {packages}.",
        "Install them in the environment of qwen-tui: pip install {packages}, or choose another model.",
    ),
    "engine.package_missing": (
        "Package missing",
        "This model cannot be loaded: {detail}.",
        "Install that package in the environment of qwen-tui, or choose another model.",
    ),
    # The hub
    "engine.not_on_hub": (
        "Not found on the hub",
        "{model} does not exist on the hub, or is private.",
        "Check the name, including its owner, as in Qwen/Qwen2.5-7B-Instruct. For a private model, "
        "log in with: hf auth login.",
    ),
    "engine.gated": (
        "Gated model",
        "{model} requires accepting its terms.",
        "Accept them at {page}, then log in on this machine with: hf auth login.",
    ),
    "engine.bad_token": (
        "The hub rejected the token",
        "The hub did not accept this machine's token (HF_TOKEN or hf auth login), so {model} cannot be requested.",
        "Log in again with: hf auth login, or unset HF_TOKEN.",
    ),
    "engine.socks_proxy": (
        "SOCKS proxy without its package",
        "The SOCKS proxy {proxy} is set for the hub, but the Python package socksio is not installed.",
        "Install socksio in the environment of qwen-tui, or set HTTPS_PROXY to the proxy's HTTP port.",
    ),
    "engine.hub_silent": (
        "No valid answer from the hub",
        "{model} is not on this machine, and the hub gave no valid answer: {detail}.",
        "Try again later, " + _LOCAL,
    ),
    "engine.offline": (
        "Not on this machine",
        "{model} is not downloaded, and downloads are turned off (--offline or HF_HUB_OFFLINE).",
        "Start without that setting, " + _LOCAL,
    ),
    "engine.no_network": (
        "Cannot reach the hub",
        "{model} is not on this machine, and the hub cannot be reached: {detail}.",
        "Check the network, " + _LOCAL,
    ),
    "engine.download_broke": (
        "Download failed",
        "{model} could not be downloaded: {detail}.",
        "Try again; finished files are not downloaded again.",
    ),
    "engine.disk_full": (
        "Not enough disk space",
        "The download needs {needed_gb} GB, but {path} has {free_gb} GB free.",
        "Free some space, or set HF_HOME to a folder on a larger disk.",
    ),
    "engine.disk_full_midway": (
        "Disk full",
        "The disk filled up while downloading {model}.",
        "Free some space and try again; finished files are not downloaded again.",
    ),
    "engine.bad_tokenizer": (
        "Cannot read the tokenizer",
        "The tokenizer in {path} is not valid: {detail}.",
        _AGAIN,
    ),
    "engine.bad_template": (
        "Cannot read the chat template",
        "The chat template in {path} is not valid: {detail}.",
        "If you edited the template, correct it. " + _AGAIN,
    ),
    # A reply
    "engine.no_numbers": (
        "The model computed NaN",
        "The logits are not finite: in float16 this is an overflow; otherwise the weights may be damaged.",
        "Try another quantization, or a device that supports bfloat16 or float32.",
    ),
    "engine.no_such_row": (
        "The tokenizer does not match the model",
        "The prompt contains token {token}, but the model's embedding has only {rows} rows.",
        "Use the tokenizer that the model was trained with.",
    ),
    "engine.prompt_too_long": (
        "Context window exceeded",
        "The prompt has {tokens} tokens; the context window has only {window}.",
        "Shorten the message, or lower “Memory in tokens” in the settings.",
    ),
    "engine.template_refused": (
        "Rejected by the chat template",
        "The model's chat template rejected this conversation: {detail}.",
        "Try without a system prompt, or start a new conversation.",
    ),
    "engine.nothing_before": (
        "Nothing to reply to",
        "The conversation begins with a reply, but this model's chat template needs a message from you first.",
        "Send a message instead.",
    ),
}
