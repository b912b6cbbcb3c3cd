"""English sentences and errors of `qwen-tui bench`."""

SENTENCES: dict[str, str] = {
    "cli.bench": "how fast this machine is with a model",
    "cli.bench_description": (
        "Measure a model on this machine: reading prompts, the first token, decoding, through the engine and\n"
        "through the whole program, beside transformers' own generate and what the memory allows. Without --model\n"
        "it is the model that a start would take. Minutes on a GPU; on a CPU choose short --contexts."
    ),
    "cli.bench_examples": (
        "examples:\n"
        "  qwen-tui bench --model guide\n"
        "  qwen-tui bench --shape qwen2.5-7b                 random weights of that shape, no download\n"
        "  qwen-tui bench --shape qwen2.5-7b --quantization 4bit --json"
    ),
    "cli.bench_shape": "measure random weights of a known shape, such as qwen2.5-7b; written to the disk first",
    "cli.bench_contexts": "lengths of the prompts in tokens (default: 512,8192,24000 as far as the window goes)",
    "cli.bench_repeats": "how often each is measured (default: 3)",
    "cli.not_positive": "not a whole number from 1",
    "cli.bench_json": "print one JSON object",
    "bench.at": "measuring at {tokens:,} tokens …",
    "bench.left_out": "{lengths} tokens do not fit the window of {window:,} with the replies; left out",
    "bench.through_app": "measuring through the whole program …",
    "bench.writing": "writing {size} of random weights to {path}, removed afterwards …",
    "bench.model": "{name}, {form} on {device} ({on})",
    "bench.decoded": "decoded by {by}",
    "bench.versions": (
        "torch {torch}, transformers {transformers}; the model was loaded in {seconds:.1f} s,"
        " and decodes at full speed {ready:.1f} s after its weights are there"
    ),
    "bench.columns": (
        "context | prefill tok/s | first, cold | first, warm | stopped in | decode tok/s"
        " | generate: first | decode tok/s | floor tok/s"
    ),
    "bench.app": (
        "through the whole program at {tokens} tokens: {app:,.1f} tok/s, {share:.2f} of the engine alone;"
        " drawn {late} after the end"
    ),
    "bench.plot": "decode, tokens a second",
}

ERRORS: dict[str, tuple[str, str, str]] = {
    "bench.server": (
        "Nothing to measure here",
        "A server's model does not run on this machine.",
        "Give --model with a folder or a name on the hub, or --shape.",
    ),
    "bench.no_such_shape": (
        "No such shape",
        "{name} is none of the known shapes.",
        "Give one of: {shapes}.",
    ),
    "bench.bad_contexts": (
        "Not usable",
        "{given} is no list of lengths in tokens.",
        "Give whole numbers with commas between, such as 512,8192.",
    ),
    "bench.window_too_small": (
        "The window is too small",
        "The model sees only {window} tokens, which has no room for a prompt and two replies.",
        "Measure another model.",
    ),
    "bench.no_room": (
        "The disk is full",
        "The random weights take {needed}, and {free} are free at {path}.",
        "Free some space, or set XDG_CACHE_HOME to a larger disk.",
    ),
    "bench.not_written": (
        "The weights could not be made",
        "Writing the random weights failed: {detail}.",
        "Check the disk, or measure a model of yours with --model.",
    ),
}
