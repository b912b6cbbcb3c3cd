"""The model's own forward pass: prefill through it, and a check of other implementations against it."""
