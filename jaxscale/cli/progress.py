"""A progress bar on stderr, for a terminal only; elsewhere it is nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from jaxscale.cli.session import Session

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class Bar:
    """One line that says what is being done and how much of it, where there is a drawing; and where Ctrl-C is heard."""

    def __init__(self, session: Session, drawing: Progress | None) -> None:
        self._session = session
        self._drawing = drawing
        self._task: TaskID | None = None if drawing is None else drawing.add_task("", total=None)

    def stage(self, text: str, total: int | None = None) -> None:
        """Begin something, of a known number of parts or of an unknown length."""
        self._session.stop_if_interrupted()
        if self._drawing is not None and self._task is not None:
            self._drawing.reset(self._task, description=text, total=total)

    def advance(self, count: int) -> None:
        """Add finished parts."""
        self._session.stop_if_interrupted()
        if self._drawing is not None and self._task is not None:
            self._drawing.advance(self._task, count)


@contextmanager
def progress(session: Session) -> Iterator[Bar]:
    """Show a bar until the scope ends, and leave no trace of it."""
    if not session.shows_progress:
        yield Bar(session, None)
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as drawing:
        session.tidy.append(drawing.stop)  # a second time it does nothing
        yield Bar(session, drawing)
