"""The axes of a specification curve: the choices on each, checked, and the specifications that they make."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from jaxscale.counting import CONVENTIONS, Convention, countable, recount
from jaxscale.errors import RunsError, UsageError
from jaxscale.laws import LAWS, Law
from jaxscale.names import COMPARED, WEIGHTINGS
from jaxscale.objectives import OBJECTIVES, Objective
from jaxscale.objectives.spec import SPACES, check_delta
from jaxscale.registry import unknown
from jaxscale.results import Specification
from jaxscale.results.kinds import check_runs
from jaxscale.runs import Runs
from jaxscale.specifying.tables import progress_of

DELTAS = (1e-3, 1e-4, 1e-2, 1e-1, 1.0)
"""Thresholds where none are named, that of `js.huber` first."""
ROWS = ("all", "smallest-10%", "smallest-25%")
"""Rows that are kept where none are named, for any table."""
EARLY = ("early-25%", "early-50%")
"""And where runs have checkpoints."""
WEIGHTS = ("table", "balanced", "root-flops")
ALIKE = 1e-9
"""Relative difference of sizes that is rounding."""

TWICE = "{axis}: '{name}' is given twice"
NONE = "{axis}: name at least one"
NO_EARLY = "no run has several rows"
SAME_SIZES = "it counts the inputs of the laws as the table has them"


@dataclass(frozen=True)
class Axes:
    """The choices on every axis, of which the first is the base's.

    Attributes
    ----------
    laws, objectives
        Laws, and objectives in any space and with any delta, by their names.
    deltas, spaces, conventions, weights, rows
        In the words of `js.specifications`.
    left_out
        Choice of the defaults that does not apply to the table → why.
    """

    laws: dict[str, Law]
    objectives: dict[str, Objective]
    deltas: tuple[float, ...]
    spaces: tuple[str, ...]
    conventions: tuple[str, ...]
    weights: tuple[str, ...]
    rows: tuple[str, ...]
    left_out: dict[str, str]

    def objective_of(self, specification: Specification) -> Objective:
        """Return the objective of a specification."""
        found = self.objectives[specification.objective]
        found = replace(found, space=SPACES[specification.space])
        return found if specification.delta is None else replace(found, scale=specification.delta)

    def specifications(self, *, is_product: bool) -> tuple[Specification, ...]:
        """Return all specifications, the base first, each once and in an order in which neighbours share programs."""
        found: dict[Specification, None] = {}
        for law, objective, space, delta, convention, weights, rows in self._combined(is_product=is_product):
            own = delta if self.objectives[objective].delta is not None else None
            found.setdefault(Specification(law, objective, own, space, convention, weights, rows))
        base, *others = found
        places = {axis: {name: at for at, name in enumerate(dict.fromkeys(
            getattr(one, axis) for one in found))} for axis in ("law", "objective", "space")}  # fmt: skip
        others.sort(key=lambda one: [places[axis][getattr(one, axis)] for axis in places])
        return (base, *others)

    def _combined(self, *, is_product: bool) -> Iterator[tuple[str, str, str, float, str, str, str]]:
        choices: list[Sequence[object]] = [
            tuple(self.laws), tuple(self.objectives), self.spaces, self.deltas, self.conventions, self.weights,
            self.rows,
        ]  # fmt: skip
        if is_product:
            yield from product(*choices)
            return
        base = [one[0] for one in choices]
        yield tuple(base)  # type: ignore[misc]
        for place, names in enumerate(choices):
            for name in names[1:]:
                yield (*base[:place], name, *base[place + 1 :])  # type: ignore[misc]


def axes_of(
    runs: Runs,
    laws: Sequence[Law | str] | None,
    objectives: Sequence[Objective | str] | None,
    deltas: Sequence[float] | None,
    spaces: Sequence[str] | None,
    conventions: Sequence[Convention | str] | None,
    weights: Sequence[str] | None,
    rows: Sequence[str] | None,
) -> Axes:
    """Return the axes, of what was named or else of the defaults that apply to a table; raise UsageError."""
    left_out: dict[str, str] = {}
    check_runs("specifications", runs)
    chosen = LAWS.each(COMPARED if laws is None else laws)
    ways = OBJECTIVES.each(tuple(OBJECTIVES) if objectives is None else objectives)
    thresholds = tuple(check_delta(one) for one in (DELTAS if deltas is None else deltas))
    kinds = tuple(SPACES) if spaces is None else tuple(spaces)
    _check("spaces", kinds, tuple(SPACES))
    words = WEIGHTS if weights is None else tuple(weights)
    if weights is None and (runs.sigma is not None or np.ptp(runs.weight) > 0):
        words = (words[0], "equal", *words[1:])
    _check("weights", words, WEIGHTINGS)
    counts = tuple(CONVENTIONS.resolve(one).name for one in conventions or ())
    if conventions is None:
        counts = _countings(runs, chosen, left_out)
    kept = ROWS if rows is None else tuple(rows)
    if rows is None:
        try:
            progress_of(runs)
            kept = (*ROWS, *EARLY)
        except RunsError:
            left_out |= dict.fromkeys(EARLY, NO_EARLY)
    lists = (
        [law.name for law in chosen], [one.name for one in ways], thresholds, kinds, counts, words, kept,
    )  # fmt: skip
    for axis, names in zip(
        ("laws", "objectives", "deltas", "spaces", "conventions", "weights", "rows"), lists, strict=True
    ):
        _check_once(axis, [str(one) for one in names])
    return Axes(
        {law.name: law for law in chosen},
        {one.name: one for one in ways},
        thresholds,
        kinds,
        counts,
        words,
        kept,
        left_out,
    )


def _countings(runs: Runs, laws: Sequence[Law], left_out: dict[str, str]) -> tuple[str, ...]:
    """Return the conventions by which a table can be counted and that change an input of a law, the table's own first.

    Of several that count alike the first is taken.
    """
    inputs = dict.fromkeys(name for law in laws for name in law.inputs if name in runs.columns)
    found, seen = ["measured"], [runs]
    for one in countable(runs):
        if one.name == "measured":
            continue
        made = recount(runs, one)
        alike = next(
            (name for name, other in zip(found, seen, strict=True) if _is_alike(made, other, tuple(inputs))), None
        )
        if alike is None:
            found.append(one.name)
            seen.append(made)
        elif alike != "measured":
            left_out[one.name] = f"it counts as {alike} does"
        else:
            left_out[one.name] = SAME_SIZES
    return tuple(found)


def _is_alike(one: Runs, other: Runs, inputs: Sequence[str]) -> bool:
    return all(np.allclose(one.columns[name], other.columns[name], rtol=ALIKE, atol=0.0) for name in inputs)


def _check(axis: str, names: Sequence[str], known: Sequence[str]) -> None:
    for name in names:
        if name not in known:
            raise UsageError(unknown(axis, str(name), tuple(known)))


def _check_once(axis: str, names: Sequence[str]) -> None:
    if not names:
        raise UsageError(NONE.format(axis=axis))
    for name in names:
        if names.count(name) > 1:
            raise UsageError(TWICE.format(axis=axis, name=name))
