"""English sentences and errors of `qwen-tui bench`."""

SENTENCES: dict[str, str] = {
    "cli.bench": "measure how fast this machine runs a model",
    "cli.bench_description": (
        "Measure a model on this machine: prefill, time to first token and decoding, in the engine alone and in\n"
        "the whole program, compared with transformers' generate() and with the limit set by memory bandwidth.\n"
        "Without --model, measures the default model. Takes minutes on a GPU; on a CPU, use short --contexts."
    ),
    "cli.bench_examples": (
        "examples:\n"
        "  qwen-tui bench --model guide\n"
        "  qwen-tui bench --shape qwen2.5-7b                 random weights of this shape, no download\n"
        "  qwen-tui bench --shape qwen2.5-7b --quantization 4bit --json"
    ),
    "cli.bench_shape": "measure random weights of a known shape, such as qwen2.5-7b, written to disk temporarily",
    "cli.bench_contexts": "prompt lengths in tokens (default: 512,8192,24000, up to the context window)",
    "cli.bench_repeats": "repetitions of each measurement (default: 3)",
    "cli.not_positive": "must be a whole number of at least 1",
    "cli.bench_json": "print one JSON object",
    "bench.at": "Measuring at {tokens:,} tokens…",
    "bench.left_out": (
        "Skipped {lengths} tokens: with their replies, they do not fit in the context window of {window:,} tokens."
    ),
    "bench.and": " and ",
    "bench.through_app": "Measuring the whole program…",
    "bench.writing": "Writing {size} of random weights to {path}; they are removed afterwards…",
    "bench.model": "{name}, {form} on {device} ({on})",
    "bench.cores": "{count} CPU {count:core|cores}",
    "bench.decoded": "Decoded by {by}",
    "bench.versions": (
        "torch {torch}, transformers {transformers}; model loaded in {seconds:.1f} s,"
        " decoding at full speed after another {ready:.1f} s"
    ),
    "bench.columns": (
        "context | prefill tok/s | first, cold | first, warm | stopped in | decode tok/s"
        " | generate: first | decode tok/s | limit tok/s"
    ),
    "bench.app": (
        "Whole program at {tokens} tokens: {app:,.1f} tok/s, {share:.2f} of the engine alone;"
        " screen complete {late} after the last token"
    ),
    "bench.plot": "Decoding, tokens per second",
    "bench.limit": "limit",
}

ERRORS: dict[str, tuple[str, str, str]] = {
    "bench.server": (
        "Nothing to measure",
        "The model on a server does not run on this machine.",
        "Add --model with a folder or a name on the hub, or use --shape.",
    ),
    "bench.no_such_shape": (
        "Unknown shape",
        "{name} is not a known shape.",
        "Choose one of: {shapes}.",
    ),
    "bench.bad_contexts": (
        "Invalid prompt lengths",
        "{given} is not a list of prompt lengths.",
        "Use whole numbers separated by commas, such as 512,8192.",
    ),
    "bench.window_too_small": (
        "Context window too small",
        "The context window of {window} tokens has no room for a prompt and two replies.",
        "Measure another model.",
    ),
    "bench.no_room": (
        "Not enough disk space",
        "The random weights need {needed}, but {path} has {free} free.",
        "Free some space, or set XDG_CACHE_HOME to a folder on a larger disk.",
    ),
    "bench.not_written": (
        "Cannot create the weights",
        "The random weights could not be written: {detail}.",
        "Check the disk, or measure your own model with --model.",
    ),
}
