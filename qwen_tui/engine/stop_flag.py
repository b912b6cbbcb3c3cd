"""The flags shared by both processes: a page of memory with the numbers of requests.

All requests up to the first number are to stop. A late stop can therefore never hit the next reply, nothing has to
be reset, and polling costs the decode loop less than a microsecond and no system call.
"""

import mmap
import os
import tempfile


class StopPage:
    """Two shared numbers that one process raises and the other polls; they only grow."""

    def __init__(self, descriptor: int) -> None:
        self._page = mmap.mmap(descriptor, mmap.PAGESIZE)
        # An aligned 8-byte store through a memoryview is one machine instruction: no reader sees half a number.
        self._number = memoryview(self._page).cast("Q")

    def stop(self, number: int) -> None:
        """Ask the request with this number, and all before it, to end."""
        self._number[0] = max(self._number[0], number)

    def is_stopped(self, number: int) -> bool:
        """Whether the request with this number was asked to end."""
        return self._number[0] >= number

    def answer_now(self, number: int) -> None:
        """Ask the request with this number to end its thinking and to answer."""
        self._number[1] = max(self._number[1], number)

    def answers_now(self, number: int) -> bool:
        """Whether the request with this number was asked to answer now."""
        return self._number[1] == number


def new_page() -> int:
    """Return the descriptor of a new anonymous page, freed when the last process closes it."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("qwen-tui-stop")
    else:
        descriptor, path = tempfile.mkstemp(prefix="qwen-tui-stop")
        os.unlink(path)
    os.ftruncate(descriptor, mmap.PAGESIZE)
    return descriptor
