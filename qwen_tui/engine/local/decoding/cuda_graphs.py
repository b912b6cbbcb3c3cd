"""Decode steps captured as CUDA graphs: one replay call instead of hundreds of kernel launches.

A CPU has no graphs and runs the same step directly, so that all of this can be tested without a GPU.
"""

from collections.abc import Callable, Hashable, Sequence
from typing import Any

import torch

Step = Callable[[], None]

WARM_UPS = 2
"""Runs before a capture: libraries initialize in the first one, which a graph cannot record."""


class Graphs:
    """The captured steps of one model, created on first use, with a shared memory pool."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._steps: dict[Hashable, Step] = {}
        self._pool: Any = None

    def get(self, key: Hashable, step: Step, state: Sequence[torch.Tensor]) -> Step:
        """Return the captured step for this key; capturing restores `state`, which the step changes."""
        if key not in self._steps:
            self._steps[key] = self._captured(step, state) if self._device.type == "cuda" else step
        return self._steps[key]

    def forget(self) -> None:
        """Drop all graphs: the tensors they were captured with have moved."""
        self._steps.clear()
        self._pool = None  # a pool is freed with its last graph

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
