"""What a conversation that is being drawn remembers from turn to turn."""

from dataclasses import dataclass, field

from qwen_tui.training.corpus import Topic
from qwen_tui.training.news import Task

Turn = tuple[str, str]
"""What the person says and what the guide answers."""

OTHER = {"en": "zh", "zh": "en"}
"""Each language's other one."""


@dataclass
class State:
    """What later turns of a conversation depend on."""

    language: str
    answer_language: str | None = None
    """Set when a system prompt asks for one language whatever the question's."""
    name: str = ""
    topic: Topic | None = None
    told: set[str] = field(default_factory=set)
    """Which follow-ups on the topic were given."""
    category: str = ""
    """Category of the line that was sorted in the last turn."""
    task: Task | None = None
    refused: bool = False
    refused_place: bool = False
    place: str = ""
    """Which place was spoken of last: `gz`, `other`, or none."""
    said: str = ""
    """The wording of the last answer, so that an explanation in other words is another one."""

    @property
    def answered_in(self) -> str:
        """The language of the next answer."""
        return self.answer_language or self.language

    def settle(self, topic: Topic | None) -> None:
        """Make `topic` what follow-ups refer to."""
        self.topic, self.told, self.category, self.task = topic, set(), "", None
        if topic and is_guangzhou(topic):
            self.place = "gz"
        self.refused = self.refused_place = False


def is_guangzhou(topic: Topic) -> bool:
    """Say whether the topic is the city or its food."""
    return topic.name.startswith("gz") or topic.name == "dim_sum"
