"""`js.studies`: every study of several tables, laws and objectives in one call, those that share programs in turn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import PurePath

import numpy as np

from jaxscale.costs.training import fixed_inputs
from jaxscale.engine.together import side_by_side
from jaxscale.errors import RunsError, UsageError
from jaxscale.fitting.preparing import programs_of
from jaxscale.intervals import INTERVALS, Interval
from jaxscale.intervals.band import check_level
from jaxscale.laws import LAWS, Law
from jaxscale.objectives import OBJECTIVES, Objective
from jaxscale.objectives.spec import SPACES
from jaxscale.registry import unknown
from jaxscale.resampling import SCHEMES, Scheme
from jaxscale.resampling.drawing import check_seed
from jaxscale.results import Studies, Study, StudyKey
from jaxscale.results.kinds import check_runs
from jaxscale.results.samples import check_drawn
from jaxscale.results.studies import name_of_objective
from jaxscale.runs import Runs
from jaxscale.studying.making import check_count, study

STAGE = "Studies"
NAMELESS = "table"

NONE = "{axis}: name at least one"
TWICE = "{axis}: '{name}' is given twice"
NO_GROUPS = "{source}: has no groups to be split by: read_runs(…, group='experiment')"


def studies(
    tables: Mapping[str, Runs] | Sequence[Runs],
    laws: Sequence[Law | str] = ("chinchilla",),
    *,
    objectives: Sequence[Objective | str] = ("huber",),
    spaces: Sequence[str] | None = None,
    scheme: Scheme | str = "pairs",
    replicates: int = 4000,
    seed: int = 0,
    budgets: Sequence[float] = (),
    at: Mapping[str, float] | None = None,
    level: float = 0.95,
    interval: Interval | str = "percentile",
    device: str = "auto",
    on_stage: Callable[[str, int | None], object] = lambda text, total: None,
    on_done: Callable[[int], object] = lambda count: None,
) -> Studies:
    """Make the study of every table by every law under every objective: each as `js.study` makes it, to the bit.

    One that is refused is kept with its reason, and stops no other.

    Parameters
    ----------
    tables
        Name → table; or tables, which then have the names of their files. `js.studying.by_groups` makes them of one.
    laws
        Laws, or their names.
    objectives
        Objectives, or their names.
    spaces
        `log` and `linear`: every objective in each of these; by default each is taken in its own.
    scheme, replicates, seed
        As in `js.study`, the same for every study.
    budgets
        Budgets (b,) of every frontier, in FLOP; without any, multiples of the largest measured compute of each table.
    at
        The inputs of any of the laws that no budget decides, name → value.
    level, interval
        The share of every band, and how its ends are found.
    device
        Where to compute: auto, cpu, gpu or tpu.
    on_stage, on_done
        Told how many studies there are, and how many more are done.

    Returns
    -------
    Studies
        A study for every combination, or the reason why there is none.

    Raises
    ------
    UsageError
        For unknown names, names that are given twice, and values that are impossible.
    MissingDependencyError
        For a device that is not there.

    Notes
    -----
    A program belongs to a law, an objective and a bucket of rows. Studies that need the same ones follow one another,
    whatever their order here, so that each is compiled once; several such groups are at work at a time.

    Examples
    --------
    >>> halves = {"small": runs.where("params < 3e7"), "large": runs.where("params > 3e7")}
    >>> found = js.studies(halves, ["pure-power-params"], replicates=64)
    >>> [key.table for key in found if found.status(key) == "converged"]
    ['small', 'large']
    """
    parts, chosen, ways = _named(tables), LAWS.each(laws), _objectives(objectives, spaces)
    rule, drawn = INTERVALS.resolve(interval), SCHEMES.resolve(scheme)
    check_drawn(drawn)
    check_level(level)
    check_seed(seed)
    check_count(replicates)
    said = {"tables": [*parts], "laws": [one.name for one in chosen], "objectives": [*map(name_of_objective, ways)]}
    for axis, given in said.items():
        _check_once(axis, given)
    by_law, by_way = {law.name: law for law in chosen}, {name_of_objective(one): one for one in ways}
    fixed = _fixed(chosen, at or {})
    whole = Studies(tuple(parts), tuple(by_law), tuple(by_way), {}, {}, replicates, seed)

    def make(key: StudyKey) -> Study | str:
        law = by_law[key.law]
        try:
            return study(
                parts[key.table], law, objective=by_way[key.objective], scheme=drawn, replicates=replicates, seed=seed,
                budgets=budgets, at=fixed[law.name], level=level, interval=rule, device=device,
            )  # fmt: skip
        except (RunsError, UsageError) as error:
            return " ".join(str(error).splitlines())

    keys = list(whole)
    on_stage(STAGE, len(keys))
    alike = [programs_of(parts[key.table], by_law[key.law], by_way[key.objective]) for key in keys]
    made = dict(zip(keys, side_by_side([partial(make, key) for key in keys], alike, on_done), strict=True))
    found = {key: one for key, one in made.items() if isinstance(one, Study)}
    return replace(whole, found=found, failed={key: one for key, one in made.items() if isinstance(one, str)})


def by_groups(runs: Runs) -> dict[str, Runs]:
    """Return the runs of each group of a table as a table of its own, group → runs, in the order in which they come.

    Parameters
    ----------
    runs
        A table with groups.

    Returns
    -------
    dict
        Tables without groups.

    Raises
    ------
    RunsError
        For a table without groups.

    Examples
    --------
    >>> halves = js.Runs.from_arrays(params=runs["params"], loss=runs.loss, group=np.repeat(["small", "large"], 15))
    >>> {name: len(part) for name, part in js.studying.by_groups(halves).items()}
    {'small': 15, 'large': 15}
    """
    if runs.group is None:
        raise RunsError(NO_GROUPS.format(source=runs.origin.source))
    names = dict.fromkeys(runs.group.tolist())
    parts = {name: runs.take(np.flatnonzero(runs.group == name), "of another group") for name in names}
    return {str(name): replace(part, group=None) for name, part in parts.items()}


def _named(tables: Mapping[str, Runs] | Sequence[Runs]) -> dict[str, Runs]:
    """Return tables by their names; of several of one name the second is `name-2`."""
    given = [*tables.values()] if isinstance(tables, Mapping) else [tables] if isinstance(tables, Runs) else [*tables]
    for one in given:
        check_runs("studies", one)
    if isinstance(tables, Mapping):
        return {str(name): one for name, one in tables.items()}
    found: dict[str, Runs] = {}
    for one in given:
        source = one.origin.source
        stem = NAMELESS if source.startswith("<") else PurePath(source).stem or NAMELESS
        names = (stem, *(f"{stem}-{count}" for count in range(2, 2 + len(given))))
        found[next(name for name in names if name not in found)] = one
    return found


def _objectives(objectives: Sequence[Objective | str], spaces: Sequence[str] | None) -> list[Objective]:
    """Return the objectives, in each of the spaces where any are named; raise UsageError."""
    found = OBJECTIVES.each(objectives)
    if spaces is None:
        return found
    for one in spaces:
        if one not in SPACES:
            raise UsageError(unknown("space", one, tuple(SPACES)))
    _check_once("spaces", list(spaces))
    return [replace(one, space=SPACES[space]) for one in found for space in spaces]


def _fixed(laws: Sequence[Law], at: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """Return by law the inputs that it needs fixed; raise UsageError for one that no law takes."""
    needed = {law.name: fixed_inputs(law) for law in laws}
    known = tuple(dict.fromkeys(name for names in needed.values() for name in names))
    for name in at:
        if name not in known:
            raise UsageError(unknown("at: input", name, known))
    return {law: {name: at[name] for name in names if name in at} for law, names in needed.items()}


def _check_once(axis: str, names: Sequence[str]) -> None:
    if not names:
        raise UsageError(NONE.format(axis=axis))
    for name in names:
        if names.count(name) > 1:
            raise UsageError(TWICE.format(axis=axis, name=name))
