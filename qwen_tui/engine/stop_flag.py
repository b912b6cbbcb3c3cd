"""The stop flag that the two processes share: one page of memory that holds a request's number.

Everything up to and including that number is to stop. So a stop that comes late can never hit the next reply,
nothing has to be reset, and reading it costs the decode loop less than a microsecond and no system call.
"""

import mmap
import os
import tempfile


class StopPage:
    """One number that one process raises and the other polls; numbers only grow."""

    def __init__(self, descriptor: int) -> None:
        self._page = mmap.mmap(descriptor, mmap.PAGESIZE)
        # An aligned 8-byte store through a memoryview is one machine instruction: no reader sees half a number.
        self._number = memoryview(self._page).cast("Q")

    def stop(self, number: int) -> None:
        """Ask for the request with this number, and all before it, to end."""
        self._number[0] = max(self._number[0], number)

    def is_stopped(self, number: int) -> bool:
        """Whether someone asked for the request with this number to end."""
        return self._number[0] >= number


def new_page() -> int:
    """The descriptor of a fresh page, known to no name: it goes when the last process that holds it does."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("qwen-tui-stop")
    else:
        descriptor, path = tempfile.mkstemp(prefix="qwen-tui-stop")
        os.unlink(path)
    os.ftruncate(descriptor, mmap.PAGESIZE)
    return descriptor
