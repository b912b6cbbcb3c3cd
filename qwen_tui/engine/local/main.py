"""Entry point of the engine worker's process, and the order in which it starts.

The pipe is read before anything heavy is imported, so that from the first moment on this process ends with the
program. Nothing here prints on purpose; output of libraries goes to the log file through stdout and stderr.
"""

import gc
import logging
import os
import signal
import sys
import threading
from multiprocessing.connection import Connection

from qwen_tui.engine.local.control_thread import WorkerPipe
from qwen_tui.engine.redaction import one_line
from qwen_tui.engine.stop_flag import StopPage
from qwen_tui.errors import QwenTuiError

log = logging.getLogger(__name__)


def main() -> None:
    """Serve the pipe and the stop page whose descriptors are on the command line."""
    descriptors = tuple(int(argument) for argument in sys.argv[1:3])
    for descriptor in descriptors:
        # A child process started by a library must not keep the pipe open.
        os.set_inheritable(descriptor, False)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.basicConfig(format="%(asctime)s engine %(name)s %(levelname)s: %(message)s")
    logging.captureWarnings(True)
    # It warns at every layer of every step that int8 matrices are multiplied in float16.
    logging.getLogger("bitsandbytes.autograd._functions").setLevel(logging.ERROR)
    pipe = WorkerPipe(Connection(descriptors[0]), StopPage(descriptors[1]))
    threading.Thread(target=pipe.listen, name="pipe", daemon=True).start()
    gc.disable()
    try:
        # Late: this imports torch and transformers, which takes seconds.
        from qwen_tui.engine.local.serving import serve
    except BaseException as error:
        log.exception("the engine's libraries cannot be imported")
        detail = one_line(f"{type(error).__name__}: {error}")
        pipe.send(pipe.jobs.get().number, QwenTuiError("engine.import_failed", detail=detail))
    else:
        # Imported objects stay. Searching them for garbage takes an eighth of the import time, and would later
        # delay a reply by 0.2 s each time.
        gc.freeze()
        gc.enable()
        serve(pipe)
