"""The KV cache: keys and values of the latest prompt, kept between replies."""
