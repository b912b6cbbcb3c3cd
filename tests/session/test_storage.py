"""Files are read and changed on a thread of their own, in order, and the event loop goes on meanwhile."""

import asyncio
import threading

import pytest

from qwen_tui.errors import QwenTuiError
from qwen_tui.session.storage import Storage


async def test_calls_run_in_order_on_another_thread_and_give_back_what_they_return() -> None:
    storage, ran = Storage(), []
    futures = [storage.run(lambda n=n: ran.append(n) or threading.current_thread().name) for n in range(20)]
    assert set(await asyncio.gather(*futures)) == {"storage"}
    assert ran == list(range(20))


async def test_the_loop_goes_on_while_a_disk_takes_its_time() -> None:
    storage, disk = Storage(), threading.Event()
    slow = storage.run(lambda: disk.wait(10))
    await asyncio.sleep(0)
    assert not slow.done()
    disk.set()
    assert await slow


async def test_an_error_reaches_whoever_awaits_it_and_the_next_call_runs() -> None:
    storage = Storage()

    def fails() -> None:
        raise QwenTuiError("session.read_only")

    with pytest.raises(QwenTuiError) as caught:
        await storage.run(fails)
    assert caught.value.code == "session.read_only"
    assert await storage.run(lambda: 5) == 5


async def test_what_nobody_awaits_any_more_is_done_all_the_same_before_it_closes() -> None:
    storage, disk, done = Storage(), threading.Event(), []
    first = storage.run(lambda: disk.wait(10))
    second = storage.run(lambda: done.append("saved"))
    first.cancel()
    second.cancel()
    disk.set()
    storage.close(10)
    assert done == ["saved"]
