"""What a verb was given, held against what it takes: a study where its fit is meant, or something else."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from jaxscale.errors import UsageError
from jaxscale.results.ensemble import Ensemble
from jaxscale.results.fit import Fit
from jaxscale.results.study import Study
from jaxscale.runs import Runs

T = TypeVar("T")

NOT_TAKEN = "{verb} takes {kinds}, not {kind}{advice}"
NOT_A_PATH = "the folder of a saved result is a path, not {kind}"
IN_PLACE_OF_RUNS: Mapping[type, str] = {
    Fit: "; its table is fit.runs",
    Ensemble: "; its table is ensemble.fit.runs",
    Study: "; its table is study.fit.runs",
}
READ = ": read one with js.read_runs(path), or make one of a frame with js.Runs.from_frame(frame)"
LOAD = ": a saved study is opened with js.load(folder)"
FIT_FIRST = "; fit the table first, as in js.fit(runs)"


def check_runs(verb: str, runs: object) -> None:
    """Raise UsageError for what is no table of runs, with what to do."""
    if not isinstance(runs, Runs):
        advice = IN_PLACE_OF_RUNS.get(type(runs), READ)
        raise UsageError(NOT_TAKEN.format(verb=verb, kinds="a table of runs", kind=type(runs).__name__, advice=advice))


def drawn_from(source: Study | T) -> Fit | Ensemble | T:
    """Return the replicates of a study that has usable ones, its fit where it has none; anything else as it is."""
    if not isinstance(source, Study):
        return source
    return source.ensemble if source.ensemble is not None and source.has_bands else source.fit


def without_weak_ensemble(study: Study) -> Study:
    """Return a study, without its ensemble where that is not good enough for bands."""
    return study if study.has_bands else replace(study, ensemble=None)


def fit_behind(verb: str, source: object) -> Fit:
    """Return a fit, or that of a study or an ensemble; raise UsageError for anything else."""
    if isinstance(source, (Study, Ensemble)):
        return source.fit
    check_kind(verb, source, Fit)
    assert isinstance(source, Fit)  # the line above raises
    return source


def check_kind(verb: str, value: object, *kinds: type) -> None:
    """Raise UsageError unless a value is of one of these kinds of results."""
    if isinstance(value, kinds):
        return
    words = " or ".join(f"{'an' if kind.__name__[0] in 'AEIOU' else 'a'} {kind.__name__}" for kind in kinds)
    advice = FIT_FIRST if isinstance(value, Runs) else LOAD if isinstance(value, str) else ""
    if isinstance(value, Study) and Fit in kinds:
        advice = "; its fit is study.fit"
    raise UsageError(NOT_TAKEN.format(verb=verb, kinds=words, kind=type(value).__name__, advice=advice))


def path_of(folder: str | Path) -> Path:
    """Return the path of a folder; raise UsageError for what is none."""
    if not isinstance(folder, (str, os.PathLike)):
        raise UsageError(NOT_A_PATH.format(kind=type(folder).__name__))
    return Path(folder)
