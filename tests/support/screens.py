"""The screen as text, once it has settled: what snapshots compare."""

import asyncio
import re

from textual.pilot import Pilot

from qwen_tui.wording.cell_width import cells

SIZES = ((80, 24), (120, 36))
"""Every story is looked at in these."""

STEADY_LOOKS = 40
"""A screen that is the same for so many looks is not going to change any more."""

MEASURED_BY_THE_CLOCK = re.compile(r"(?<=Thought for )\d+\.\d(?= s)")


async def screen_that_stays(pilot: Pilot[None], expected: str) -> str:
    """The screen once it is the expected one; otherwise what it has become when nothing moves any more."""
    last, same = "", 0
    while same < STEADY_LOOKS:
        rows = [strip.text for strip in pilot.app.screen._compositor.render_strips()]
        now = MEASURED_BY_THE_CLOCK.sub("0.0", "".join(f"{row.rstrip()}\n" for row in rows))
        if now == expected:
            assert {cells(row) for row in rows} == {pilot.app.size.width}, f"rows of other widths:\n{now}"
            break
        last, same = now, same + 1 if now == last else 0
        await asyncio.sleep(0.02)
        await pilot.pause()
    return now
