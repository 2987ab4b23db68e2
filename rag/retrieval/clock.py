"""How long each stage of an answer takes."""

from __future__ import annotations

import time


class StageClock:
    """Milliseconds from stop to stop, added up by stage."""

    def __init__(self) -> None:
        self.ms: dict[str, float] = {}
        self._began = self._last = time.perf_counter()

    def stop(self, stage: str) -> None:
        """What passed since the last stop was this stage."""
        now = time.perf_counter()
        self.ms[stage] = self.ms.get(stage, 0.0) + (now - self._last) * 1e3
        self._last = now

    def total(self) -> dict[str, float]:
        """Every stage's milliseconds, and ``total`` from the beginning until now."""
        return {**self.ms, "total": (time.perf_counter() - self._began) * 1e3}
