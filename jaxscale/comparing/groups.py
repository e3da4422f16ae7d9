"""Rolling origins of many curves, and what they teach about the width of a band of another."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from jaxscale.comparing.compare import compare
from jaxscale.comparing.cutting import only
from jaxscale.comparing.weighing import stacking_weights
from jaxscale.errors import RunsError
from jaxscale.laws import Law
from jaxscale.results import Comparison
from jaxscale.results.calibration import Calibration, WidthParts, calibrated, common_laws
from jaxscale.runs import Runs

NO_GROUP = "{source}: compare_groups takes a table with a group column: read_runs(…, group='curve')"
NO_GROUP_LEFT = "{source}: in no group can the laws be compared: {why}"


@dataclass(frozen=True)
class GroupComparisons:
    """Laws compared in each group of a table on its own.

    Attributes
    ----------
    comparisons
        Group → its comparison.
    failed
        Group → why there is none.
    """

    comparisons: Mapping[str, Comparison]
    failed: Mapping[str, str]


def compare_groups(
    runs: Runs,
    laws: Sequence[Law | str] | None = None,
    *,
    cuts: int | Sequence[float] = (0.5, 0.7, 0.85),
    on_group: Callable[[str], object] = lambda group: None,
    **options: object,
) -> GroupComparisons:
    """Compare laws in every group of a table by itself, as in each of many learning curves.

    Parameters
    ----------
    runs
        A table with groups.
    laws, cuts
        As in `js.compare`; by default the cut-offs leave 50, 70 and 85 % of the runs of each group below.
    on_group
        Told which group begins.
    **options
        Others of `js.compare`.

    Returns
    -------
    GroupComparisons
        Of every group; in each, rows of the others are copies of weight zero, so that all share programs.

    Raises
    ------
    UsageError
        As `js.compare`.
    RunsError
        For a table without groups, and one in none of which the laws can be compared.

    Examples
    --------
    >>> names = np.arange(len(runs)) % 2
    >>> curves = js.Runs.from_arrays(loss=runs.loss, params=runs["params"], group=[f"part {name}" for name in names])
    >>> found = js.comparing.compare_groups(curves, ["pure-power-params"], cuts=[0.7], replicates=64)
    >>> sorted(found.comparisons)
    ['part 0', 'part 1']
    """
    if runs.group is None:
        raise RunsError(NO_GROUP.format(source=runs.origin.source))
    names = list(dict.fromkeys(runs.group.tolist()))
    longest = max(int(np.sum(runs.group == name)) for name in names)
    found: dict[str, Comparison] = {}
    failed: dict[str, str] = {}
    for name in names:
        on_group(name)
        rows = np.flatnonzero(runs.group == name)
        try:
            found[name] = compare(only(runs, rows, length=longest), laws, cuts=cuts, **options)  # type: ignore[arg-type]
        except RunsError as error:
            failed[name] = str(error)
    if not found:
        raise RunsError(NO_GROUP_LEFT.format(source=runs.origin.source, why="; ".join(failed.values())))
    return GroupComparisons(found, failed)


def calibration(comparisons: Sequence[Comparison]) -> Calibration:
    """Return the rule for weights and widths that comparisons teach, to be applied to another.

    The weights of the laws are those of stacking over all runs held out, each comparison counting alike. The runs held
    out in each are a group; the conformal quantile takes the comparisons, and the one that the rule is applied to, for
    exchangeable.

    Parameters
    ----------
    comparisons
        Of the same laws, such as of `compare_groups` on half of the curves.

    Returns
    -------
    Calibration
        For `Comparison.predict(calibration=…)` and `Comparison.held_out`.

    Raises
    ------
    UsageError
        For no comparison, and for comparisons of different laws.

    Examples
    --------
    >>> found = js.compare(runs, ["pure-power-params"], replicates=64, cuts=2)
    >>> rule = js.comparing.calibration([found, found])
    >>> rule.groups, rule.weights
    (2, (1.0,))
    """
    laws = common_laws(comparisons)
    densities = [_densities(one, laws) for one in comparisons]
    share = np.concatenate([np.full(len(one), 1.0 / len(one)) for one in densities])
    stacked = stacking_weights(np.concatenate(densities), share)
    weights = dict(zip(laws, stacked.tolist(), strict=True))
    reaches, errors = [], []
    for one in comparisons:
        parts = [one.back_tested(place, weights) for place in range(len(one.cuts))]
        reaches.append(WidthParts.joined([part for part, _, _ in parts]))
        errors.append(np.concatenate([error for _, _, error in parts]))
    return calibrated(reaches, errors, laws, stacked.tolist())


def _densities(found: Comparison, laws: tuple[str, ...]) -> np.ndarray:
    """Return the log densities (m, k) of the runs held out."""
    by_name = {one.law.name: one for one in found.scores}
    return np.stack([np.concatenate([test.log_density for test in by_name[law].backtests]) for law in laws], axis=1)
