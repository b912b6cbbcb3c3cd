"""The READMEs are true: what they link to, show, name and count is there and is so."""

import importlib.util
import re
import sys
from pathlib import Path

import pytest
from readmes import PACKAGE, READMES, ROOT, called, headings, links, paths

from qwen_tui.settings.options import OPTIONS
from qwen_tui.strings.languages import texts
from qwen_tui.ui.help.key_table import README as KEYS
from qwen_tui.ui.help.key_table import with_tables

README = (ROOT / "README.md").read_text(encoding="utf-8")
SCREENSHOTS = ROOT / "screenshots"
LARGEST_PICTURE = 2_000_000

each_readme = pytest.mark.parametrize("readme", READMES, ids=called)


@each_readme
def test_every_link_leads_somewhere(readme: Path) -> None:
    text = readme.read_text(encoding="utf-8")
    for link in links(text):
        file, _, anchor = link.partition("#")
        target = (readme.parent / file).resolve() if file else readme
        assert target.exists(), link
        if anchor:
            assert anchor in headings(target.read_text(encoding="utf-8")), link


@each_readme
def test_every_path_that_is_named_exists(readme: Path) -> None:
    named = paths(readme.read_text(encoding="utf-8"))
    assert {path for path in named if not (ROOT / path).exists()} == set()


def test_the_readme_has_at_most_a_thousand_words() -> None:
    assert len(README.split()) <= 1_000


def test_the_readme_runs_the_tests_as_ci_does() -> None:
    (command,) = re.findall(r"^pytest.*$", (ROOT / ".ci" / "run").read_text(encoding="utf-8"), re.MULTILINE)
    assert f".venv/bin/{command}\n" in README
    assert f".venv/bin/{command}\n" in (PACKAGE / "README.zh.md").read_text(encoding="utf-8")


def test_the_readme_installs_a_pytorch_that_the_program_accepts() -> None:
    (bound,) = re.findall(r'"torch>=.*(<[\d.]+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert f"'torch{bound}'" in README


def test_the_readme_is_the_same_in_both_languages() -> None:
    chinese = (PACKAGE / "README.zh.md").read_text(encoding="utf-8")
    assert len(re.findall("^## ", chinese, re.MULTILINE)) >= len(re.findall("^## ", README, re.MULTILINE))
    assert commands(README) <= commands(chinese)


def commands(text: str) -> set[str]:
    """The commands to type, without what is said about them."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return {line.partition(" #")[0].strip() for block in blocks for line in block.splitlines()}


def test_every_picture_is_shown_by_a_readme_and_small_enough_to_load() -> None:
    shown = {
        (readme.parent / link).resolve()
        for readme in READMES
        for link in links(readme.read_text(encoding="utf-8"))
    }
    pictures = {file for ending in ("png", "gif", "svg") for file in SCREENSHOTS.glob(f"*.{ending}")}
    assert {file.name for file in pictures - shown} == set()
    assert [file.name for file in pictures if file.stat().st_size >= LARGEST_PICTURE] == []


def test_every_picture_is_that_of_a_scene(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("PIL")
    monkeypatch.syspath_prepend(str(SCREENSHOTS))
    specification = importlib.util.spec_from_file_location("make", SCREENSHOTS / "make.py")
    make = importlib.util.module_from_spec(specification)
    monkeypatch.setitem(sys.modules, "make", make)  # its dataclasses look themselves up there
    specification.loader.exec_module(make)
    made = {scene.file(language) for scene in make.SCENES for language in make.LANGUAGES}
    assert made == {file for ending in ("png", "gif", "svg") for file in SCREENSHOTS.glob(f"*.{ending}")}


@each_readme
def test_what_is_quoted_of_the_screen_is_on_the_screen(readme: Path) -> None:
    """Words in *italics* that begin with a capital and ask nothing are a label or the beginning of a sentence."""
    text = readme.read_text(encoding="utf-8")
    quoted = re.findall(r"(?<!\*)\*([A-Z][^*?\n]+)\*(?!\*)", text)
    sentences = texts("en").SENTENCES.values()
    assert [
        words for words in quoted if not any(each.lower().startswith(words.lower()) for each in sentences)
    ] == []


def test_what_the_chinese_readme_quotes_of_the_screen_is_on_the_screen() -> None:
    """Words in “quotation marks” that ask nothing are a label or the beginning of a sentence."""
    quoted = re.findall("“([^”？]+)”", (PACKAGE / "README.zh.md").read_text(encoding="utf-8"))
    sentences = texts("zh").SENTENCES.values()
    assert quoted != []
    assert [words for words in quoted if not any(each.startswith(words) for each in sentences)] == []


def test_the_keys_are_those_of_the_program() -> None:
    text = KEYS.read_text(encoding="utf-8")
    assert with_tables(text) == text, "write them: python -m qwen_tui.ui.help.key_table"
    assert "| `chat.send` |" in text


def test_the_config_file_is_described_whole() -> None:
    text = (PACKAGE / "settings" / "README.md").read_text(encoding="utf-8")
    table = ""
    described = set()
    for group, name in re.findall(r"^\| (?:`\[(\w+)\]`)? *\| `(\w+)` \|", text, re.MULTILINE):
        table = group or table
        described.add((table, name))
    assert described == {(option.group, name) for name, option in OPTIONS.items()}
