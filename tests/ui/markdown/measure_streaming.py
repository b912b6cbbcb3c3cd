"""What a delta costs, in milliseconds of CPU, median and worst.

`PYTHONPATH=.:tests/support python tests/ui/markdown/measure_streaming.py` prints two tables.
The first table is laying out alone, the second the whole log: 60 messages of history, 120x40, drawn.
"""

import asyncio
import statistics
import time

from documents import KINDS, of_kind
from log_host import LogHost, reply, running, settled, talk

from qwen_tui.ui.markdown.streaming.stream import Stream

LENGTHS = (200, 2000, 10_000, 40_000)
DELTA = 4
"""Characters of one token."""
ROUNDS = 60


def main() -> None:
    """Print both tables."""
    print(f"{'laying out':22}" + "".join(f"{length:>16,}" for length in LENGTHS) + f"{'finish 40,000':>16}")
    for kind in KINDS:
        cells, finish = [], 0.0
        for length in LENGTHS:
            text = of_kind(kind, length + ROUNDS * DELTA)
            stream = Stream(100)
            for at in range(0, length, 400):
                stream.append(text[at : min(at + 400, length)])
            times = [
                _timed(stream, text[length + n * DELTA : length + (n + 1) * DELTA]) for n in range(ROUNDS)
            ]
            cells.append(f"{statistics.median(times):.1f} / {max(times):.1f}")
            began = time.process_time()
            stream.finish()
            finish = (time.process_time() - began) * 1000
        print(f"{kind:22}" + "".join(f"{cell:>16}" for cell in cells) + f"{finish:>16.0f}")
    asyncio.run(_measure_drawn())


def _timed(stream: Stream, delta: str) -> float:
    began = time.process_time()
    stream.append(delta)
    return (time.process_time() - began) * 1000


async def _measure_drawn() -> None:
    print(f"\n{'drawn in the log':22}" + "".join(f"{length:>16,}" for length in LENGTHS))
    for kind in KINDS:
        cells = []
        for length in LENGTHS:
            app = LogHost()
            async with running(app, (120, 40)) as pilot:
                await app.log_.show_conversation(talk(60))
                answer = reply("")
                app.log_.add(answer, streaming=True)
                text = of_kind(kind, length + ROUNDS * DELTA)
                app.log_.list.view_of(answer.id).append_text(text[:length])
                await settled(pilot)
                times = []
                for number in range(ROUNDS // 2):
                    at = length + number * DELTA
                    began = time.process_time()
                    app.log_.list.view_of(answer.id).append_text(text[at : at + DELTA])
                    await pilot.pause()
                    times.append((time.process_time() - began) * 1000)
            cells.append(f"{statistics.median(times):.1f} / {max(times):.1f}")
        print(f"{kind:22}" + "".join(f"{cell:>16}" for cell in cells))


if __name__ == "__main__":
    main()
