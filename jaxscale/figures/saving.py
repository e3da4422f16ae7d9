"""Figures to files, those that were named or all that a study allows; the bytes depend on the page alone."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from matplotlib.collections import PolyCollection

from jaxscale.allocation.frontier import frontier
from jaxscale.errors import StoreError, UsageError
from jaxscale.figures.pages import METADATA, Page, Width
from jaxscale.figures.spec import Figure
from jaxscale.results import Study
from jaxscale.results.kinds import without_weak_ensemble
from jaxscale.text import shown, shown_name

NOT_WRITTEN = "{path}: the figure could not be written ({reason}); check the folder's owner and the disk"
OF_ONE_GROUP = ("frontier", "isoloss", "isoflop", "density")
"""Figures that show one law: of a fit over groups each group has its own."""
POINTS = 37
"""Budgets of a drawn frontier, from the smallest measured compute to the largest budget."""
FOLLOWED = 13
"""Budgets of one whose profiles are followed, about a second for each."""

SVG_DPI = 100
"""Of the pictures of clouds inside an SVG."""

NOT_A_FORMAT = "a figure cannot be saved as '{suffix}'; known: {known}"


def draw_all(
    figures: Sequence[Figure], study: Study, folder: Path, format: str = "png", width: Width = "page"
) -> tuple[list[Path], dict[str, str]]:
    """Write every figure that a study allows into a folder; return the paths, and name → reason of those left out.

    Of a fit over groups, what shows the law or its frontier is drawn for each group, in a folder of its own.
    """
    paths, left_out, whole = [], {}, with_curve(study)
    asked = [
        (one, one.name, prepared(study, one, whole), folder)
        for one in figures
        if not (study.groups and one.name in OF_ONE_GROUP)
    ]
    for at, (group, part) in enumerate(study.groups.items()):
        own, of_group = folder / _folder_name(group, at), whole.groups[group]
        names = [one for one in figures if one.name in OF_ONE_GROUP]
        asked += [(one, f"{one.name} of {shown(group)}", prepared(part, one, of_group), own) for one in names]
    for figure, name, drawn, place in asked:
        try:
            paths.append(_draw(figure, drawn, place, format, width))
        except UsageError as error:
            left_out[name] = str(error)
    return paths, left_out


def draw_each(
    figures: Sequence[Figure], study: Study, folder: Path, format: str = "png", width: Width = "page"
) -> list[Path]:
    """Write these figures into a folder and return their paths; raise UsageError where one cannot be drawn."""
    needs_curve = any(_shows_curve(figure) for figure in figures)
    curve = with_curve(study) if needs_curve else None
    return [_draw(figure, prepared(study, figure, curve), folder, format, width) for figure in figures]


def prepared(study: Study, figure: Figure, curve: Study | None = None) -> Study:
    """Return a study as a figure shows it: with a curve, at the budgets that were asked for, or without a frontier.

    curve: what `with_curve` makes of the study, where that is known.
    """
    if _shows_curve(figure):
        return with_curve(study) if curve is None else curve
    return without_weak_ensemble(study if figure.at_budgets else replace(study, frontier=None))


def _shows_curve(figure: Figure) -> bool:
    return "frontier" in (*figure.needs, *figure.welcomes) and not figure.at_budgets


def _draw(figure: Figure, study: Study, folder: Path, format: str, width: Width) -> Path:
    page = figure.make(study, width)
    path = folder / f"{figure.name}.{format}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        save_figure(page, path)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise StoreError(NOT_WRITTEN.format(path=shown_name(str(path)), reason=reason)) from error
    return path


def _folder_name(group: str, place: int) -> str:
    """Return a folder's name for a group: its own name, with a number where that would not do."""
    name = "".join(c if c.isalnum() or c in "-_" else "_" for c in group)[:60]
    return f"group-{name}" if name == group else f"group-{place}-{name}"


def with_curve(study: Study) -> Study:
    """Return the study with enough budgets for a curve, between the measured compute and the largest budget shown.

    Without its ensemble where too few replicates are usable for bands.
    """
    study = without_weak_ensemble(study)
    if study.groups:
        study = replace(study, groups={name: with_curve(part) for name, part in study.groups.items()})
    if study.frontier is None:
        return study
    ends = [*np.asarray(study.frontier.flops), *(study.frontier.measured or ())]
    source = study.fit if study.ensemble is None else study.ensemble
    points = POINTS if study.ensemble is None or study.ensemble.profile is None else FOLLOWED
    flops = np.geomspace(min(ends), max(ends), points) if min(ends) < max(ends) else np.array(ends[:1])
    return replace(study, frontier=frontier(source, flops=flops, fixed=study.frontier.fixed))


def svg_of(figure: Page) -> str:
    """Return the page as SVG, for a page that holds several figures."""
    for cloud in figure.findobj(PolyCollection):
        if isinstance(cloud, PolyCollection) and len(np.asarray(cloud.get_offsets())) > 1:
            cloud.set_rasterized(True)  # the hexagons of a cloud of replicates, thousands of them
    text = io.BytesIO()
    figure.write(text, "svg", dpi=SVG_DPI)
    return text.getvalue().decode()


def save_figure(figure: Page, path: str | Path) -> None:
    """Write the page as PNG (200 dpi), PDF or SVG, by the path's suffix; an existing file is replaced.

    Raises UsageError for another suffix, OSError where the file cannot be written.
    """
    target = Path(path)
    suffix = target.suffix.lower()
    if suffix[1:] not in METADATA:
        raise UsageError(NOT_A_FORMAT.format(suffix=suffix, known=", ".join(f".{one}" for one in METADATA)))
    figure.write(target, suffix[1:])
