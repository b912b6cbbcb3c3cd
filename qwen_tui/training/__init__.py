"""How the guide is made: corpus to conversations, tokenizer, training and evaluation.

`corpus/` is what was written, `topics.md` what the guide can be asked, `heldout/` the questions that test it. Names
of keys and settings are filled in from the program, so this room stands above `ui`; nothing else imports it.
"""
