"""Studies of several tables, laws and objectives: what is asked for, by its names, and each of them studied."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath

import numpy as np

from jaxscale.costs.training import fixed_inputs
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
from jaxscale.studying.making import budgets_of, check_count, study

NAMELESS = "table"

NONE = "{axis}: name at least one"
TWICE = "{axis}: '{name}' is given twice"
NO_GROUPS = "{source}: has no groups to be split by: read_runs(…, group='experiment')"


@dataclass(frozen=True)
class StudyRequest:
    """What is asked of a table: all that `js.study` takes beside it and the device."""

    law: Law
    objective: Objective
    scheme: Scheme
    interval: Interval
    replicates: int
    seed: int
    budgets: tuple[float, ...]
    at: Mapping[str, float]
    level: float


@dataclass(frozen=True)
class StudyBatch:
    """Studies that are asked for: every table by every law under every objective.   at: by law."""

    tables: Mapping[str, Runs]
    laws: Mapping[str, Law]
    objectives: Mapping[str, Objective]
    scheme: Scheme
    interval: Interval
    replicates: int
    seed: int
    budgets: tuple[float, ...]
    at: Mapping[str, Mapping[str, float]]
    level: float

    @property
    def unmade(self) -> Studies:
        """All of them, of which none is made."""
        return Studies(
            tuple(self.tables), tuple(self.laws), tuple(self.objectives), {}, {}, self.replicates, self.seed
        )  # fmt: skip

    def request(self, key: StudyKey) -> StudyRequest:
        """Return what is asked of a study's table."""
        law, objective, at = self.laws[key.law], self.objectives[key.objective], self.at[key.law]
        return StudyRequest(
            law, objective, self.scheme, self.interval, self.replicates, self.seed, self.budgets, at, self.level
        )  # fmt: skip

    @property
    def own(self) -> Mapping[type, tuple]:
        """The laws, objectives …, by kind, among which those are found that do not ship."""
        return {
            Law: tuple(self.laws.values()),
            Objective: tuple(self.objectives.values()),
            Scheme: (self.scheme,),
            Interval: (self.interval,),
        }

    def programs(self, key: StudyKey) -> Hashable:
        """Return what is the same for two studies that need the same compiled programs."""
        return programs_of(self.tables[key.table], self.laws[key.law], self.objectives[key.objective])


def study_batch(
    tables: Mapping[str, Runs] | Sequence[Runs],
    laws: Sequence[Law | str],
    *,
    objectives: Sequence[Objective | str],
    spaces: Sequence[str] | None,
    scheme: Scheme | str,
    replicates: int,
    seed: int,
    budgets: Sequence[float],
    at: Mapping[str, float] | None,
    level: float,
    interval: Interval | str,
) -> StudyBatch:
    """Return the studies that are asked for, by their names; arguments and errors as of `js.studies`."""
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
    return StudyBatch(
        parts, by_law, by_way, drawn, rule, replicates, int(seed), budgets_of(budgets), fixed, float(level)
    )


def studied(runs: Runs, request: StudyRequest, device: str) -> Study | str:
    """Return the study of a table, or the reason why it is refused."""
    one = request
    try:
        return study(
            runs, one.law, objective=one.objective, scheme=one.scheme, replicates=one.replicates, seed=one.seed,
            budgets=one.budgets, at=one.at, level=one.level, interval=one.interval, device=device,
        )  # fmt: skip
    except (RunsError, UsageError) as error:
        return " ".join(str(error).splitlines())


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
