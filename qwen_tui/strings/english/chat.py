"""English sentences and errors of the conversation: the log, a message, the memory line."""

SENTENCES: dict[str, str] = {
    "chat.author.user": "You",
    "chat.author.assistant": "Assistant",
    "chat.author.system": "System",
    "chat.waiting": "waiting",
    "chat.reading": "reading the prompt",
    "chat.reading.progress": "reading the prompt  {done:,} / {total:,} tokens",
    "chat.thinking": "Thinking",
    "chat.thinking.progress": "Thinking · {tokens:,} tokens",
    "chat.thought": "Thought before answering",
    "chat.thought.measured": "Thought for {seconds} s · {tokens:,} tokens",
    "chat.receipt.speed": "{speed:,.0f} tok/s",
    "chat.receipt.slow": "{speed:.1f} tok/s",
    "chat.receipt.first": "{seconds:.2f} s to first token",
    "chat.receipt.tokens": "{tokens:,} tokens",
    "chat.receipt.one_token": "1 token",
    "chat.status.stopped": "stopped",
    "chat.status.interrupted": "interrupted: the program ended while this was written",
    "chat.status.length": "cut off by max new tokens or the end of the context window",
    "chat.empty": "no text",
    "chat.key.previous": "Message above",
    "chat.key.next": "Message below",
    "chat.key.thoughts": "Thoughts",
    "chat.key.copy": "Copy",
    "chat.latest": "↓ latest",
    "chat.memory": "the model sees from here · {tokens:,} of {budget:,} tokens · {older:,} older messages not sent",
    "chat.memory.one": "the model sees from here · {tokens:,} of {budget:,} tokens · 1 older message not sent",
    "chat.memory.medium": "the model sees from here · {tokens:,} of {budget:,} tokens · {older:,} not sent",
    "chat.memory.short": "the model sees from here · {older:,} not sent",
}

ERRORS: dict[str, tuple[str, str, str]] = {}
