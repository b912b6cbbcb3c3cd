"""How the guide is made: corpus to conversations, tokenizer, training and evaluation.

Only this package of the guide imports torch, transformers and tokenizers.
"""
