"""The commands that work on saved conversations, as a shell and other programs meet them."""

import json
import os
import pty
import select
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from qwen_tui.chat.messages import Conversation, Message, Role, Run
from qwen_tui.chat.store import ConversationStore
from qwen_tui.commands import arguments


class Shell:
    """Runs the program's commands on one folder."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.store = ConversationStore(data / "conversations")

    def start(self, *arguments: str, **how) -> subprocess.CompletedProcess[bytes]:
        command, *rest = arguments
        line = [sys.executable, "-m", "qwen_tui", command, "--data-dir", str(self.data), *rest]
        return subprocess.run(line, timeout=60, **{"input": b"", "capture_output": True} | how)

    def __call__(self, *arguments: str, stdin: bytes = b"") -> str:
        """The standard output of a command that must succeed and say nothing else."""
        done = self.start(*arguments, input=stdin)
        assert (done.returncode, done.stderr) == (0, b"")
        return done.stdout.decode()

    def fails(self, *arguments: str, status: int = 1, stdin: bytes = b"") -> str:
        """The one line on the standard error of a command that must fail."""
        done = self.start(*arguments, input=stdin)
        assert done.returncode == status
        (line,) = done.stderr.decode().splitlines()
        assert line.startswith(f"qwen-tui {arguments[0]}: ")
        return line

    def on_a_terminal(self, *arguments: str) -> bytes:
        """What a person sees of a command."""
        master, slave = pty.openpty()
        self.start(*arguments, capture_output=False, stdout=slave, stderr=slave)
        os.close(slave)
        seen = b""
        end = time.monotonic() + 10
        while time.monotonic() < end and select.select([master], [], [], 0.2)[0]:
            try:
                seen += os.read(master, 65536)
            except OSError:
                break
        os.close(master)
        return seen

    def add(self, name: str, *said: str, **values) -> Conversation:
        conversation = Conversation(name=name, **values)
        for number, text in enumerate(said):
            role = Role.ASSISTANT if number % 2 else Role.USER
            receipt = (Run(model="Qwen/Qwen2.5-7B-Instruct"),) if number % 2 else ()
            conversation = conversation.with_message(
                Message(role=role, content=text, parent=conversation.head, receipt=receipt)
            )
        return self.store.save(conversation)

    @property
    def names(self) -> set[str]:
        return {entry.name for entry in ConversationStore(self.data / "conversations").list()}


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path / "data")


# --- Looking ------------------------------------------------------------------------------------------------


def test_an_empty_folder_is_an_empty_list(shell) -> None:
    assert shell("list") == ""
    assert json.loads(shell("list", "--json")) == []
    assert b"no conversations yet" in shell.on_a_terminal("list")


def test_names_come_one_a_line_the_last_used_first_and_pinned_ones_before_all(shell) -> None:
    shell.add("广州美食", "它有什么好吃的？", "早茶。")
    shell.add("kept", "x", pinned=True)
    shell.add("classify", "x")
    assert shell("list") == "kept\nclassify\n广州美食\n"
    rows = json.loads(shell("list", "--json"))
    assert [(row["name"], row["pinned"], row["messages"]) for row in rows][::2] == [
        ("kept", True, 1),
        ("广州美食", False, 2),
    ]
    assert json.loads(Path(rows[2]["file"]).read_text())["name"] == "广州美食"


def test_a_person_at_a_terminal_sees_when_and_how_much(shell) -> None:
    shell.add("广州美食", "它有什么好吃的？", "早茶。")
    row = shell.on_a_terminal("list").decode()
    assert row.rstrip().endswith("2  广州美食")
    assert row.startswith("20")


def test_any_time_can_be_listed_and_shown_in_any_zone(shell, monkeypatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    for moment in ("9999-12-31T23:59:59.000+00:00", "0001-01-01T00:00:00.000+00:00"):
        conversation = shell.add(f"in {moment[:4]}", "x", updated=moment)
        said = replace(conversation.messages[0], created=moment)
        shell.store.save(replace(conversation, messages=(said,), updated=moment))
        assert f"in {moment[:4]}" in shell.on_a_terminal("list").decode()
        assert "UTC" in shell("show", conversation.name)


def test_a_conversation_is_shown_as_plain_text(shell) -> None:
    shell.add("广州美食", "它有什么\n好吃的？", "**早茶**。")
    lines = shell("show", "广州美食").splitlines()
    assert lines[0].startswith("You · 20")
    assert lines[1:4] == ["它有什么", "好吃的？", ""]
    assert lines[4].startswith("Qwen2.5-7B-Instruct · 20")
    assert lines[5:] == ["**早茶**。"]


def test_words_are_found_in_names_and_in_what_was_said(shell) -> None:
    shell.add("广州美食", "它有什么好吃的？", "早茶和肠粉。")
    shell.add("other", "肠粉怎么做？")
    assert shell("search", "肠粉", "早茶") == "广州美食\t早茶和肠粉。\n"
    assert [hit["name"] for hit in json.loads(shell("search", "--json", "OTHER"))] == ["other"]
    assert "no conversation contains" in shell.fails("search", "点心")


def test_control_characters_never_reach_a_terminal(shell) -> None:
    folder = shell.data / "conversations"
    folder.mkdir(parents=True)
    evil = "a\x1b]0;owned\x07\x1b[31mb\u202e\x9b2Jc"
    message = {"role": "user", "content": evil, "error": {"code": evil, "parameters": {"detail": evil}}}
    message |= {"receipt": [{"model": evil}]}
    value = {"name": evil, "messages": [message, {"role": "assistant", "content": evil, "model": evil}]}
    (folder / "e\x1b[31mvil.json").write_text(json.dumps(value))
    (folder / "bro\x1b[31mken.json").write_text("{")
    (shell.data / "b\x1b[31mad.json").write_text("{")
    seen = (
        shell.on_a_terminal("list") + shell.on_a_terminal("show", "abc") + shell.on_a_terminal("search", "b")
    )
    seen += shell.on_a_terminal("export", "abc") + shell.on_a_terminal("show", evil + "x")
    seen += shell.on_a_terminal("import", str(shell.data / "b\x1b[31mad.json"), "/no\x1b[31m")
    seen += shell.on_a_terminal("delete", "abc") + shell.on_a_terminal("list", "--trash")
    assert "abc" in seen.decode()
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(seen.decode())


# --- Names --------------------------------------------------------------------------------------------------


def test_the_nearest_names_are_suggested(shell) -> None:
    shell.add("广州美食", "x")
    shell.add("Shopping list", "x")
    assert "广州美食" in shell.fails("show", "广州")
    assert "Shopping list" in shell.fails("export", "shoping lst")
    assert "qwen-tui list" in shell.fails("delete", "xyzzy")


def test_upper_and_lower_case_do_not_matter_unless_both_exist(shell) -> None:
    shell.add("Tokens", "upper")
    assert "upper" in shell("show", "tokens")
    shell.add("tokens ", "lower")
    assert "tokens 2" in shell.names


@pytest.mark.parametrize(
    "name", ["-rf", "--help", "a/../b", "$(x) `y` ;|&", "'\"\\", "😀 ✨", ".", "-", "%s {0}"]
)
def test_any_name_works(shell, name) -> None:
    shell.add("plain", "Hello", "Hi")
    assert shell("rename", "--", "plain", name) == f"{name}\n"
    assert shell("list") == f"{name}\n"
    assert "Hello" in shell("show", "--", name)
    assert json.loads(shell("export", "--format", "json", "--", name))["name"] == name
    shell("delete", "--", name)
    assert shell("restore", "--", name) == f"{name}\n"


# --- Changing -----------------------------------------------------------------------------------------------


def test_a_name_that_another_has_gets_a_number(shell) -> None:
    shell.add("one", "x")
    shell.add("two", "x")
    assert shell("rename", "two", "one") == "one 2\n"
    assert shell.names == {"one", "one 2"}


def test_a_name_of_nothing_is_bad_usage(shell) -> None:
    shell.add("one", "x")
    shell.fails("rename", "one", " \u200b", status=2)
    assert shell.names == {"one"}


def test_what_is_deleted_is_in_the_trash_and_comes_back(shell) -> None:
    shell.add("广州", "x")
    shell("delete", "广州")
    assert shell("list") == ""
    assert shell("list", "--trash") == "广州\n"
    assert [row["name"] for row in json.loads(shell("list", "--trash", "--json"))] == ["广州"]
    shell.add("广州", "another")
    assert shell("restore", "广州") == "广州 2\n"
    assert shell("list", "--trash") == ""
    assert "no conversation" in shell.fails("restore", "广州")


def test_one_that_is_open_in_another_program_is_not_deleted_but_can_be_read_and_renamed(shell) -> None:
    conversation = shell.add("广州", "x")
    claim = shell.store.claim(conversation.id)
    assert claim is not None
    assert "“广州” is open in another" in shell.fails("delete", "广州")
    assert "x" in shell("show", "广州")
    assert shell("rename", "广州", "Guangzhou") == "Guangzhou\n"
    longer = conversation.with_message(Message(role=Role.USER, content="y", parent=conversation.head))
    assert shell.store.save(longer).name == "Guangzhou"
    assert shell.names == {"Guangzhou"}
    claim.release()
    shell("delete", "Guangzhou")


# --- Export -------------------------------------------------------------------------------------------------


def test_markdown_goes_to_the_standard_output(shell) -> None:
    shell.add("广州", "有什么好吃的？", "**早茶**")
    text = shell("export", "广州")
    assert text.startswith("# 广州\n\n## You")
    assert "\n\n**早茶**\n" in text


def test_the_system_prompt_in_force_is_exported(shell) -> None:
    shell.add("one", "x")
    shell.add("two", "x", overrides={"system_prompt": "简短回答。"})
    config = shell.data / "config.toml"
    config.write_text('[system]\nsystem_prompt = "Be kind."')
    for name, prompt in (("one", "Be kind."), ("two", "简短回答。")):
        written = json.loads(shell("export", name, "--format", "openai", "--config", str(config)))
        assert written["messages"][0] == {"role": "system", "content": prompt}


def test_a_file_is_written_but_never_over_another_unless_that_is_wanted(shell, tmp_path) -> None:
    shell.add("广州", "x")
    for name, begins in (
        ("a.md", "# 广州"),
        ("a.openai.json", '{\n  "messages"'),
        ("a.json", '{\n  "version"'),
        ("a", "# "),
    ):
        file = tmp_path / name
        assert shell("export", "广州", "--output", str(file)) == ""
        assert file.read_text().startswith(begins)
        file.write_text("mine")
        assert "was not overwritten" in shell.fails("export", "广州", "-o", str(file))
        assert file.read_text() == "mine"
        shell("export", "广州", "-o", str(file), "--force")
        assert file.read_text().startswith(begins)
    assert "No such file" in shell.fails("export", "广州", "-o", str(tmp_path / "no" / "folder.md"))


def test_what_is_no_file_is_written_to_as_it_is(shell, tmp_path) -> None:
    shell.add("广州", "x")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE)
    shell("export", "广州", "-o", str(pipe), "--force")
    assert reader.communicate(timeout=10)[0].decode().startswith("# 广州")
    assert pipe.is_fifo()
    assert "No space left" in shell.fails("export", "广州", "-o", "/dev/full")


# --- Import -------------------------------------------------------------------------------------------------


def test_what_is_exported_can_be_imported_elsewhere_with_everything_in_it(shell, tmp_path) -> None:
    conversation = shell.add("广州", "有什么好吃的？", "早茶。")
    first = conversation.messages[0]
    conversation = shell.store.save(
        conversation.with_message(Message(role=Role.ASSISTANT, content="肠粉。", parent=first.id))
    )
    data = shell("export", "广州", "--format", "json").encode()
    elsewhere = Shell(tmp_path / "elsewhere")
    assert elsewhere("import", "-", stdin=data) == "广州\n"
    (entry,) = elsewhere.store.list()
    assert elsewhere.store.load(entry) == conversation
    assert elsewhere("import", "-", stdin=data) == "广州 2\n"
    assert len({entry.id for entry in elsewhere.store.list()}) == 2


def test_names_go_to_the_output_and_what_was_left_out_to_the_errors(shell, tmp_path) -> None:
    picture = {"type": "image_url", "image_url": {}}
    content = [{"type": "text", "text": "这是什么？"}, picture]
    file = tmp_path / "list.json"
    file.write_text(json.dumps([{"role": "user", "content": content}]))
    done = shell.start("import", str(file))
    assert (done.returncode, done.stdout.decode()) == (0, "这是什么？\n")
    assert done.stderr.decode() == f"qwen-tui import: {file}: Images left out: 1.\n"


def test_a_file_that_cannot_be_imported_does_not_hold_up_the_others(shell, tmp_path) -> None:
    good, bad = tmp_path / "good.jsonl", tmp_path / "bad.json"
    good.write_text(
        "\n".join([json.dumps({"messages": [{"role": "user", "content": f"{i}"}]}) for i in (1, 2)])
    )
    bad.write_text("{")
    done = shell.start("import", str(bad), str(tmp_path), "/not/there", str(good))
    assert (done.returncode, done.stdout) == (1, b"1\n2\n")
    assert len(done.stderr.splitlines()) == 3
    assert b"Traceback" not in done.stderr


# --- In a pipe ----------------------------------------------------------------------------------------------


def test_every_conversation_can_be_exported_in_a_loop(shell, tmp_path) -> None:
    for name in ("广州 美食", "-x", "a'b"):
        shell.add(name, f"said in {name}")
    program = f'"{sys.executable}" -m qwen_tui'
    data = f'--data-dir "{shell.data}"'
    script = f'{program} list {data} | while IFS= read -r name; do {program} export {data} -- "$name"; done'
    done = subprocess.run(["bash", "-c", script], capture_output=True, timeout=60)
    assert done.stderr == b""
    assert done.stdout.decode().count("said in") == 3


@pytest.mark.parametrize("command", ["list", "export big", "export --format json big", "show big"])
def test_a_reader_that_goes_away_ends_it_quietly(shell, command) -> None:
    shell.add("big", "x" * 200_000)
    for number in range(5):
        shell.add(f"a conversation {number}", "x")
    name, *rest = command.split()
    script = f'"{sys.executable}" -m qwen_tui {name} --data-dir "{shell.data}" {" ".join(rest)} | head -c 1'
    done = subprocess.run(["bash", "-c", script], capture_output=True, timeout=60)
    assert (len(done.stdout), done.stderr) == (1, b"")


def test_a_full_disk_is_told(shell) -> None:
    shell.add("one", "x")
    with open("/dev/full", "wb") as full:
        done = shell.start("list", capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 1
    assert b"No space left" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("command", "status"), [("list >&-", 0), ("import - <&-", 1), ("show x 2>&-", 1), ("ask <&-", 2)]
)
def test_a_stream_that_is_closed_is_an_empty_one(shell, command, status) -> None:
    name, *rest = command.split(" ", 1)
    script = f'"{sys.executable}" -m qwen_tui {name} --data-dir "{shell.data}" {" ".join(rest)}'
    done = subprocess.run(["bash", "-c", script], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    assert (done.returncode, done.stdout) == (status, b"")
    assert b"Traceback" not in done.stderr


def test_the_output_is_utf8_whatever_the_locale_says(shell, monkeypatch) -> None:
    shell.add("广州", "早茶")
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.setenv("PYTHONUTF8", "0")
    monkeypatch.setenv("PYTHONCOERCECLOCALE", "0")
    assert shell("list") == "广州\n"
    assert "早茶" in shell("show", "广州")


def test_what_a_plain_locale_could_not_decode_is_read_as_utf8() -> None:
    given = "广州".encode().decode("ascii", "surrogateescape")
    assert arguments.parse(["show", given]).name == "广州"
    assert arguments.parse(["--conversation", given, "--system", given]).conversation == "广州"
    assert arguments.parse(["ask", given]).text == ["广州"]


@pytest.mark.parametrize(
    "given",
    [
        ["show"],
        ["rename", "x"],
        ["export", "x", "--format", "pdf"],
        ["import"],
        ["search"],
        ["delete"],
    ],
)
def test_bad_usage_is_status_2_and_one_line(shell, given) -> None:
    assert "--help" in shell.fails(*given, status=2)


def test_a_damaged_file_is_set_aside_and_told(shell) -> None:
    shell.add("good", "x")
    (shell.data / "conversations" / "broken.json").write_text("{")
    done = shell.start("list")
    assert (done.returncode, done.stdout) == (0, b"good\n")
    assert b"broken.json" in done.stderr
