"""What the view inside looks at: a reply or the next message of a conversation, and a token."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from qwen_tui.chat.messages import Conversation, Json, Message, Role
from qwen_tui.engine.base import Engine, ModelInfo
from qwen_tui.engine.inspection import MemoryFacts, PromptTokens, Rounding
from qwen_tui.engine.trace import TokenTrace
from qwen_tui.errors import QwenTuiError
from qwen_tui.session.session import ChatSession
from qwen_tui.settings.options import Settings
from qwen_tui.ui.inside.budget import Budget


class Subject(NamedTuple):
    """The state of the chat when the panel last looked at it."""

    session: ChatSession
    conversation: Conversation
    """Its value, without the running reply."""
    settings: Settings
    """The person's defaults with the conversation's overrides."""
    engine: Engine | None
    """The engine, if a model is ready."""
    draft: str
    message_id: str | None
    """The message under the cursor of the messages, if they have the focus."""

    @property
    def info(self) -> ModelInfo | None:
        """The loaded model, if it is ready."""
        return self.engine.info if self.engine is not None else None

    @property
    def path(self) -> tuple[Message, ...]:
        """The messages shown."""
        return self.conversation.path()

    @property
    def replies(self) -> list[Message]:
        """The replies shown, oldest first."""
        return [message for message in self.path if message.role is Role.ASSISTANT]


class Prompted(NamedTuple):
    """A prompt as the model reads it, and how it fills the context window."""

    text: PromptTokens
    bare: PromptTokens
    """The newest message alone, as text without a template."""
    budget: Budget
    is_as_sent: bool = True
    """False if it is the prompt that would be sent now, because the one that was sent cannot be made again."""


@dataclass
class Look:
    """What the tabs show. The desk fills it, and moving in a tab changes `at`."""

    subject: Subject | None = None
    reply: Message | None = None
    """The reply looked at; None for the next message."""
    traces: Sequence[TokenTrace | None] = ()
    """How its tokens were chosen; None for one that was generated without a trace. Empty if none is known."""
    at: int = 0
    """Index of the token looked at."""
    said: str = ""
    """What is being done about a missing trace, or why there can be none."""
    prompt: Prompted | QwenTuiError | None = None
    """None until the engine has answered."""
    memory: MemoryFacts | QwenTuiError | None = None
    """None until the engine has answered; so is `rounding`."""
    rounding: Rounding | QwenTuiError | None = None
    trial: dict[str, Json] = field(default_factory=dict)
    """Sampling values that are being tried, by name; the others are those that the reply was made with."""

    @property
    def token(self) -> TokenTrace | None:
        """The token looked at, if it has a trace."""
        return self.traces[self.at] if 0 <= self.at < len(self.traces) else None

    @property
    def sampling(self) -> Mapping[str, Json]:
        """The sampling values that the reply was made with."""
        return self.reply.receipt[-1].sampling if self.reply is not None and self.reply.receipt else {}

    def step(self, by: int) -> None:
        """Look at the token this many further on."""
        self.at = max(0, min(self.at + by, len(self.traces) - 1))
