"""The progress line: the stage, its count, how fast it goes and how long it will take at that rate."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TimeElapsedColumn
from rich.table import Column
from rich.text import Text

COUNT = "{done:,} of {total:,}"
RATE = "{rate}/s"
SLOW = 10.0
"""Parts a second below which a decimal is worth its place."""
LEFT = "{minutes}:{seconds:02d} left"
BESIDE, BAR = 52, 20
"""Columns that the rest of the line may take beside the stage, and those of the bar where there is room for it."""
LEAST = 24
"""Columns of the stage at least."""


class Stage(ProgressColumn):
    """What is being done; of words that are too many for the line the last ones."""

    def __init__(self, room: int) -> None:
        super().__init__(Column(no_wrap=True))
        self._room = room

    def render(self, task: Task) -> Text:
        """Return the words."""
        words = task.description
        return Text(words if len(words) <= self._room else f"…{words[1 - self._room :]}")


class Counted(ProgressColumn):
    """How many parts of a stage are done, of how many; then its rate and the time left, once there is a rate."""

    def __init__(self) -> None:
        super().__init__(Column(no_wrap=True))

    def render(self, task: Task) -> Text:
        """Return the words, none for a stage whose length is not known."""
        if task.total is None:
            return Text("")
        words = [COUNT.format(done=int(task.completed), total=int(task.total))]
        if task.speed and not task.finished:
            words.append(RATE.format(rate=f"{task.speed:,.1f}" if task.speed < SLOW else f"{task.speed:,.0f}"))
            minutes, seconds = divmod(round((task.total - task.completed) / task.speed), 60)
            words.append(LEFT.format(minutes=minutes, seconds=seconds))
        return Text("  ".join(words))


def progress_line() -> Progress:
    """Return the line on stderr, which leaves no trace when it ends; each stage has a time of its own."""
    console = Console(stderr=True)
    has_bar = console.width >= BESIDE + BAR + 2 * LEAST
    room = max(LEAST, console.width - BESIDE - (BAR + 1 if has_bar else 0))
    columns = [Stage(room), *([BarColumn(bar_width=BAR)] if has_bar else []), Counted(), TimeElapsedColumn()]
    return Progress(SpinnerColumn(), *columns, console=console, transient=True)
