"""What is asked of the servers."""

from qwen_tui.chat.messages import Role
from qwen_tui.engine.base import PromptMessage, Request, Sampling

HELLO = Request(messages=(PromptMessage(Role.USER, "hello"),), sampling=Sampling(seed=3, max_new_tokens=50))
