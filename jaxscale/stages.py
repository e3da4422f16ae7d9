"""What a long computation is doing, told as it goes: its stages, each with a count of its own parts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


def _untold(*_: object) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class Stages:
    """Who is told.

    on_stage: what begins, and of how many parts it is, None where that is not known.   on_done: how many more parts of
    it are done.
    """

    on_stage: Callable[[str, int | None], object] = _untold
    on_done: Callable[[int], object] = _untold

    def begin(self, text: str, total: int | None = None) -> None:
        """Tell that a stage begins."""
        self.on_stage(text, total)

    def done(self, count: int) -> None:
        """Tell that more parts of the stage are done."""
        self.on_done(count)

    def within(self, heading: str) -> Stages:
        """Return stages that are told under a heading."""
        return Stages(lambda text, total: self.on_stage(f"{heading}: {text}", total), self.on_done)


SILENT = Stages()
