"""Make the pictures of the README files from the running program: `python screenshots/make.py [NAME …]`.

Each picture is a scene: the program starts on a pseudo-terminal of a given size and in a given language, keys are
typed, and what it draws is painted cell by cell. Add a scene to `SCENES`, and show its pictures in a README: a test
compares the two. Needs the `dev` extras, and on Debian fonts-firacode, fonts-dejavu-core and fonts-noto-cjk.
"""

import os
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from string import Formatter

from qwen_tui.strings.languages import texts

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests" / "support"))

from recording import Recording  # noqa: E402 - imports the terminal of the tests

F2, F3, F4, F5 = "\x1bOQ", "\x1bOR", "\x1bOS", "\x1b[15~"
DOWN, BACK_TAB, CTRL_N = "\x1b[B", "\x1b[Z", "\x0e"
LANGUAGES = ("en", "zh")
AT_ONCE = 2
"""How many scenes are played at once: much of the time passes in waiting."""
SEEDED = "[sampling]\nseed = 7"
"""Lines of the config file with which the replies are the same each time."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A picture to make, in every language."""

    name: str
    size: tuple[int, int]
    """Columns and rows."""
    play: Callable[["Stage"], None]
    says: dict[str, tuple[str, ...]]
    """What the person writes, by language."""
    moves: bool = False
    """Whether it is a moving picture."""
    settings: str = ""
    """Lines of the config file."""

    def file(self, language: str) -> Path:
        """Where the picture goes: `chat.png`, in Chinese `chat.zh.png`."""
        suffix = "" if language == "en" else f".{language}"
        return HERE / f"{self.name}{suffix}.{'gif' if self.moves else 'png'}"


@dataclass(frozen=True)
class Stage:
    """The program while a scene is played."""

    terminal: Recording
    data: Path
    language: str
    says: tuple[str, ...]

    def ask(self, text: str, *, slowly: bool = False) -> None:
        """Send a message, and wait until its reply is finished and drawn."""
        (self.terminal.write if slowly else self.terminal.type)(text)
        self.get_reply("\r")

    def get_reply(self, key: str) -> None:
        """Press a key that has something answered, and wait until the reply is finished and drawn."""
        before = self._finished_replies()
        self.terminal.type(key)
        self.terminal.until(lambda _: self._finished_replies() > before)
        self.terminal.settle(0.5)

    def see(self, code: str) -> None:
        """Wait until the screen shows a sentence: the longest part of it that is always the same."""
        sentence = texts(self.language).SENTENCES[code]
        self.terminal.until(max((words for words, *_ in Formatter().parse(sentence)), key=len).strip())
        self.terminal.settle()

    def press(self, *keys: str) -> None:
        """Press keys one after the other, each when the screen has come to rest."""
        for key in keys:
            self.terminal.type(key)
            self.terminal.settle()

    def _finished_replies(self) -> int:
        files = (self.data / "conversations").glob("[!.]*.json")
        return sum(file.read_text(encoding="utf-8").count('"role": "assistant"') for file in files)


def demo(stage: Stage) -> None:
    """Replies that stream, the line where the model's memory begins, and a receipt with its replay."""
    terminal = stage.terminal
    terminal.start()
    terminal.hold(1.0)
    for text in stage.says:
        stage.ask(text, slowly=True)
        terminal.hold(1.6)
    terminal.hold(1.6)
    stage.press(BACK_TAB)
    terminal.hold(0.8)
    terminal.type("i")
    stage.see("receipt.ended.eos")
    terminal.hold(2.0)
    terminal.type("p")
    stage.see("replay.same")
    terminal.hold(3.0)


def variants(stage: Stage) -> None:
    """The second of two replies, and what can be done with it."""
    for text in stage.says:
        stage.ask(text)
    stage.press(BACK_TAB)
    stage.get_reply("r")
    stage.terminal.until("2 / 2")


def receipt(stage: Stage) -> None:
    """How a reply came about, and that the same tokens come again."""
    stage.ask(*stage.says)
    stage.press(BACK_TAB, "i")
    stage.see("receipt.ended.eos")
    stage.terminal.type("p")
    stage.see("replay.same")


MOST_MODELS = 60
"""Rows to go down at most in the list of models."""


def models(stage: Stage) -> None:
    """The models to choose from, on one whose weights do not fit whole."""
    stage.terminal.type(F4)
    stage.terminal.until("Qwen3.8-27B")
    for _ in range(MOST_MODELS):
        if "26.9 B" in stage.terminal.text():
            break
        stage.press(DOWN)
        stage.terminal.settle(0.2)
    stage.terminal.until("26.9 B")
    stage.terminal.settle()


def settings(stage: Stage) -> None:
    """A setting of this conversation, and a wrong value explained."""
    stage.ask(*stage.says)
    stage.press(F2, DOWN, "0.9\r", DOWN, "7")


def search(stage: Stage) -> None:
    """Conversations in which a word was said."""
    *messages, word = stage.says
    for text in messages:
        stage.ask(text)
        stage.press(CTRL_N)
    stage.press(F3, "/", word)


def inside(stage: Stage) -> None:
    """How a token of a reply was chosen, and what a higher temperature would have made of it."""
    stage.press(F5, F5)
    stage.ask(*stage.says)
    stage.press(F5, "4", "l", "2", "+", "+", "+", "+", "+", "+")
    stage.see("inside.dials.tried")


SCENES = (
    Scene(
        name="demo",
        size=(92, 27),
        play=demo,
        says={
            "en": (
                "Hello, my name is Ada. What is a token?",
                "How much memory does a 7B model take in 4 bits?",
                "What was my name?",
            ),
            "zh": ("你好，我叫小明。什么是 token？", "为什么要用 4-bit 量化？", "我叫什么名字？"),
        },
        moves=True,
        settings=f"[memory]\nmemory_turns = 2\n{SEEDED}",
    ),
    Scene(
        name="variants",
        size=(92, 27),
        play=variants,
        says={
            "en": ("What is a token?", "What is the context window?"),
            "zh": ("什么是 token？", "什么是上下文窗口？"),
        },
        settings="[sampling]\ntemperature = 0.8",
    ),
    Scene(
        name="receipt",
        size=(92, 27),
        play=receipt,
        says={"en": ("What is top-p?",), "zh": ("什么是 top-p？",)},
        settings=SEEDED,
    ),
    Scene(
        name="inside",
        size=(150, 36),
        play=inside,
        says={"en": ("What is good to eat in Guangzhou?",), "zh": ("广州有什么好吃的？",)},
        settings=SEEDED,
    ),
    Scene(name="models", size=(92, 27), play=models, says=dict.fromkeys(LANGUAGES, ())),
    Scene(
        name="settings",
        size=(120, 36),
        play=settings,
        says={"en": ("What does temperature do?",), "zh": ("温度有什么用？",)},
    ),
    Scene(
        name="search",
        size=(150, 30),
        play=search,
        says={
            "en": ("What is a token?", "What is the context window?", "Why 4 bits?", "model"),
            "zh": ("什么是 token？", "什么是上下文窗口？", "为什么要用 4-bit 量化？", "模型"),
        },
    ),
)


def make(scene: Scene, language: str) -> Path:
    """Play a scene in a language, and save its picture."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        data.mkdir()
        (data / "config.toml").write_text(scene.settings, encoding="utf-8")
        arguments = ["--model", "guide", "--device", "cpu", "--language", language]
        with Recording(*scene.size, arguments, data) as terminal:
            terminal.until("2,048")  # the window of the guide: it is loaded
            terminal.settle()
            scene.play(Stage(terminal, data, language, scene.says[language]))
            (terminal.save_frames if scene.moves else terminal.save_picture)(scene.file(language))
    return scene.file(language)


def main(names: list[str]) -> None:
    """Make the pictures of these scenes, or of all."""
    with tempfile.TemporaryDirectory() as hub, ProcessPoolExecutor(AT_ONCE) as processes:
        os.environ["HF_HOME"] = hub  # the models of this machine are nobody's business
        wanted = [
            (scene, language)
            for scene in SCENES
            for language in LANGUAGES
            if not names or {scene.name, scene.file(language).name} & {*names}
        ]
        for picture in processes.map(make, *zip(*wanted, strict=True)):
            print(picture, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
