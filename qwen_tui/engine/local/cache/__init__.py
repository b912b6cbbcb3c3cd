"""The KV cache: what is kept between replies, and reading a prompt into it."""
