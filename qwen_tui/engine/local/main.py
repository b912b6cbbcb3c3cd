"""The engine worker's process: what runs in it, and in which order it starts.

The pipe is read before anything heavy is imported, so that the process ends with the program from the first
moment on. Nothing here prints on purpose; what libraries print goes to the log file, which is this process's
stdout and stderr.
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
    """Serve the pipe given on the command line by its descriptor, with the stop page given by its own."""
    descriptors = tuple(int(argument) for argument in sys.argv[1:3])
    for descriptor in descriptors:
        # A process that a library starts from here must not hold the pipe open.
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
        # Late: it imports torch and transformers, which takes seconds.
        from qwen_tui.engine.local.serving import serve
    except BaseException as error:
        log.exception("the engine's libraries cannot be imported")
        detail = one_line(f"{type(error).__name__}: {error}")
        pipe.send(pipe.jobs.get().number, QwenTuiError("engine.import_failed", detail=detail))
    else:
        # What was imported stays. To look through it for garbage takes an eighth of the importing, and would later
        # hold up a reply by 0.2 s each time.
        gc.freeze()
        gc.enable()
        serve(pipe)
