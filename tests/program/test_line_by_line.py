"""`qwen-tui --plain` from end to end: a terminal, two processes, the guide, files."""

import os
import signal

from pseudo_terminal import Terminal
from real_program import last_reply
from waiting import wait_for


def test_a_chat_line_by_line_is_stopped_gone_on_with_and_lost_with_its_terminal(program) -> None:
    with Terminal(80, 24, ["--plain", "--model", "guide", "--device", "cpu"], program.data) as terminal:
        terminal.until("Ctrl+D")
        terminal.type("Explain in detail what tokens are.\r")
        wait_for(lambda: program.written() and not terminal.settle(0.02))
        terminal.type("\x03")  # ctrl+c
        terminal.until("Stopped")
        (file,) = program.conversations()
        stopped = last_reply(file)
        assert stopped["status"] == "stopped"
        # The terminal writes ^C where the cursor was, in the middle of a word, too.
        assert stopped["content"].split()[0] in terminal.text().replace("^C", "")
        terminal.type("/settings mod\x7f\x7f\x7fmodel\r")
        terminal.until("model: guide")
        terminal.settle()
        terminal.type("half a 消息")
        terminal.until("消息")
        os.kill(terminal.process.pid, signal.SIGTERM)
        assert terminal.wait() == 128 + signal.SIGTERM
        terminal.assert_as_before()
    assert "half a 消息" in "".join(each.read_text() for each in program.data.glob("drafts/*"))
    with Terminal(80, 24, ["--plain", "--last", "--model", "guide"], program.data) as terminal:
        terminal.until("> half a 消息")
        terminal.type("\x03")
        terminal.until(lambda text: text.rstrip().endswith("\n>") or "^C" in text)
        terminal.settle()
        terminal.type("\x04")  # ctrl+d
        assert terminal.wait() == 0
    assert not list(program.data.glob("drafts/*"))
