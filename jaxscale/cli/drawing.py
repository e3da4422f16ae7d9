"""The progress line: the stage, its count, how fast it goes and how long it will take at that rate."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn, TimeElapsedColumn
from rich.text import Text

COUNT = "{done:,} of {total:,}"
RATE = "{rate}/s"
SLOW = 10.0
"""Parts a second below which a decimal is worth its place."""
LEFT = "{minutes}:{seconds:02d} left"


class Counted(ProgressColumn):
    """How many parts of a stage are done, of how many; then its rate and the time left, once there is a rate."""

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
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        Counted(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
