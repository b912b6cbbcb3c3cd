"""Steps that are captured once and then replayed: one call for what would be hundreds of kernel launches.

On a CPU, which has no graphs, the same step runs as it is: so all of this is tried out without a GPU, too.
"""

from collections.abc import Callable, Hashable, Sequence
from typing import Any

import torch

Step = Callable[[], None]

WARM_UPS = 2
"""Runs before a capture: libraries set themselves up in the first, which a graph cannot hold."""


class Graphs:
    """The captured steps of one model, made when they are first needed; all of them share memory."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._steps: dict[Hashable, Step] = {}
        self._pool: Any = None

    def get(self, key: Hashable, step: Step, state: Sequence[torch.Tensor]) -> Step:
        """The step of this name, captured, which is not a run of it: `state`, which it changes, stays as it is."""
        if key not in self._steps:
            self._steps[key] = self._captured(step, state) if self._device.type == "cuda" else step
        return self._steps[key]

    def forget(self) -> None:
        """Let go of all of them: the tensors they were captured with have moved."""
        self._steps.clear()
        self._pool = None  # with the last graph of a pool the pool is gone

    def _captured(self, step: Step, state: Sequence[torch.Tensor]) -> Step:
        before = [each.clone() for each in state]
        side = torch.cuda.Stream(self._device)  # type: ignore[no-untyped-call]
        side.wait_stream(torch.cuda.current_stream(self._device))
        with torch.cuda.stream(side):
            for _ in range(WARM_UPS):
                step()
                for each, value in zip(state, before, strict=True):
                    each.copy_(value)
        torch.cuda.current_stream(self._device).wait_stream(side)
        self._pool = self._pool or torch.cuda.graph_pool_handle()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=self._pool, capture_error_mode="thread_local"):
            step()
        replay: Step = graph.replay
        return replay
