"""English sentences of the view inside: prompt, sampling, branches, certainty, memory, comparison, lessons."""

SENTENCES: dict[str, str] = {
    "inside.compare.title": "Compare variants",
    "inside.compare.variant": "Variant {number} of {of}",
    "inside.compare.close": "Close",
    "inside.compare.earlier": "Compare with an earlier variant",
    "inside.compare.later": "Compare with a later variant",
    "inside.compare.keys": "{earlier} {later} other variant · {close} close",
    "inside.compare.keys.two": "{close} close",
    "inside.compare.parts": "The generated tokens part at token {number:,}. Underlined: in only one of the two.",
    "inside.compare.same": "All generated tokens are the same ({count:,}).",
    "inside.compare.no_tokens": "One of them has no token IDs. Underlined: in only one of the two.",
    "inside.compare.same_values": "Both were made with the same model, values and seed.",
}

ERRORS: dict[str, tuple[str, str, str]] = {}
