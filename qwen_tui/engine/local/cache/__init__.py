"""The KV cache: the keys and values of the last prompt, kept between replies."""
