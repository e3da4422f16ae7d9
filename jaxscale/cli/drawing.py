"""Figures into files: those that were named, or all that the results allow."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from jaxscale.cli.session import Session
from jaxscale.errors import StoreError, UsageError

if TYPE_CHECKING:
    from jaxscale.figures import Figure
    from jaxscale.reports import Answer
    from jaxscale.results import Frontier

LEFT_OUT = "no figure '{name}': {reason}"
NOT_WRITTEN = "{path}: the figure could not be written ({reason}); check the folder's owner and the disk"
OF_ONE_GROUP = ("frontier", "isoloss")
"""Figures that show one law: of a fit over groups each group has its own."""
POINTS = 61
"""Budgets of a drawn frontier, from the smallest measured compute to the largest budget."""


def draw_all(answer: Answer, folder: Path, session: Session, format: str = "png") -> list[Path]:
    """Write every figure that the results allow into a folder and return the paths; say which were left out.

    Of a fit over groups, what shows the law or its frontier is drawn for each group, in a folder of its own.
    """
    from jaxscale.figures import FIGURES
    from jaxscale.text import shown

    paths = []
    frontier = _dense(answer)
    for figure in FIGURES:
        if answer.by_group and figure.name in OF_ONE_GROUP:
            continue
        try:
            paths.append(_draw(figure, answer, frontier, folder, format))
        except UsageError as error:
            session.say(LEFT_OUT.format(name=figure.name, reason=error))
    for place, (group, part) in enumerate(answer.by_group.items()):
        own, dense = folder / _folder_name(group, place), _dense(part)
        for figure in FIGURES:
            if figure.name not in OF_ONE_GROUP:
                continue
            try:
                paths.append(_draw(figure, part, dense, own, format))
            except UsageError as error:
                session.say(LEFT_OUT.format(name=f"{figure.name} of {shown(group)}", reason=error))
    return paths


def draw_named(names: Sequence[str], answer: Answer, folder: Path, format: str = "png") -> list[Path]:
    """Write these figures into a folder and return their paths; raise UsageError where one cannot be drawn."""
    from jaxscale.figures import FIGURES

    chosen = [FIGURES.resolve(name) for name in names]
    has_frontier = any("frontier" in (*figure.needs, *figure.welcomes) for figure in chosen)
    frontier = _dense(answer) if has_frontier else None
    return [_draw(figure, answer, frontier, folder, format) for figure in chosen]


def _draw(figure: Figure, answer: Answer, frontier: Frontier | None, folder: Path, format: str) -> Path:
    from jaxscale.figures import save
    from jaxscale.text import shown_name

    ensemble = answer.ensemble if answer.has_bands else None
    page = figure.make(answer.fit, ensemble, frontier, level=answer.level, method=answer.method)
    path = folder / f"{figure.name}.{format}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        save(page, path)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise StoreError(NOT_WRITTEN.format(path=shown_name(str(path)), reason=reason)) from error
    return path


def _folder_name(group: str, place: int) -> str:
    """Return a folder's name for a group: its own name, with a number where that would not do."""
    name = "".join(c if c.isalnum() or c in "-_" else "_" for c in group)[:60]
    return f"group-{name}" if name == group else f"group-{place}-{name}"


def _dense(answer: Answer) -> Frontier | None:
    """Return the frontier at enough budgets for a curve, between the measured compute and the largest budget shown."""
    import numpy as np

    from jaxscale.allocation import frontier

    if answer.frontier is None:
        return None
    ends = [*np.asarray(answer.frontier.flops), *(answer.frontier.measured or ())]
    flops = np.geomspace(min(ends), max(ends), POINTS) if min(ends) < max(ends) else np.array(ends[:1])
    source = answer.ensemble if answer.ensemble is not None and answer.has_bands else answer.fit
    return frontier(source, flops=flops, fixed=answer.frontier.fixed)
