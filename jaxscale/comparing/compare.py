"""`js.compare`: several laws on one table, judged by what they predict of the runs with more compute than they saw."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from jaxscale.allocation.inputs import priced
from jaxscale.comparing.backtesting import Asked, backtest, fitted_to, frontier_between, with_regret
from jaxscale.comparing.cutting import below, cut_offs, least_runs
from jaxscale.comparing.weighing import information_criteria, stacking_weights
from jaxscale.engine.together import side_by_side
from jaxscale.errors import RunsError, UsageError
from jaxscale.fitting.preparing import programs_of
from jaxscale.intervals.band import check_level
from jaxscale.laws import LAWS, Law
from jaxscale.names import COMPARED
from jaxscale.objectives import OBJECTIVES, Objective
from jaxscale.refitting import check_clusters
from jaxscale.resampling import SCHEMES, Scheme
from jaxscale.resampling.drawing import check_seed
from jaxscale.results import Backtest, Comparison, Ensemble, LawScore
from jaxscale.results.kinds import check_runs
from jaxscale.results.samples import check_drawn
from jaxscale.runs import Runs

STAGE = "Fits to all runs and below cut-offs"

NO_SIZE = (
    "{source}: the runs have no compute to be cut by, and the laws have no only input in common; give params and "
    "tokens, or flops"
)
NO_LAWS = "laws: name at least one, as in laws=['chinchilla', 'kaplan']"
TWICE = "laws: '{name}' is given twice"
BAD_COUNT = "replicates = {replicates!r} is no whole number from 2 on"
TOO_FEW_RUNS = "{law} has {coefs} free coefs and needs {least} runs below a cut-off; the table does not have them"
BELOW_CUT = "{count} runs lie below the lowest cut-off, and {law}, of {coefs} free coefs, needs {least}"
AT_CUT = "up to {cut:.3g} {unit}: {why}"
NOBODY = "more than half of the laws cannot be fitted: {why}"
NONE_LEFT = "{source}: no law can be compared: {why}"


def compare(
    runs: Runs,
    laws: Sequence[Law | str] | None = None,
    *,
    objective: Objective | str = "huber",
    cuts: int | Sequence[float] = 4,
    scheme: Scheme | str = "pairs",
    replicates: int = 200,
    seed: int = 0,
    level: float = 0.9,
    at: Mapping[str, float] | None = None,
    device: str = "auto",
    on_stage: Callable[[str, int | None], object] = lambda text, total: None,
    on_done: Callable[[int], object] = lambda count: None,
) -> Comparison:
    """Fit laws to the runs below several cut-offs in compute, and judge each by its predictions of the runs above.

    The runs above a cut-off have no part in what is fitted below it. A law that cannot be fitted is listed with its
    reason, and so is a cut-off at which more than half of the laws cannot; all others are judged on the same runs.

    Parameters
    ----------
    runs
        The table. Rows whose loss is not finite have no part in anything.
    laws
        Laws, or their names; `jaxscale.names.COMPARED` without any.
    objective
        As in `js.fit`.
    cuts
        How many cut-offs, or the cut-offs themselves in FLOP, or shares of the runs as [0.5, 0.7, 0.85]. A table
        without compute is cut by the only input of its laws. By default they are quantiles, with at least 8 runs, and 3
        more than any law has coefs, over a factor of 3 in compute below each.
    scheme, replicates, seed
        As in `js.bootstrap`, at each cut-off and for all runs.
    level
        Share of a new run's limits that are held against the runs above.
    at
        The laws' inputs that no budget decides, name → value; for their regret and equivalent compute.
    device
        Where to compute: auto, cpu, gpu or tpu.
    on_stage, on_done
        Told how many fits there are, and how many more are done.

    Returns
    -------
    Comparison
        The laws by increasing root mean square error, with their scores, weights and replicates.

    Raises
    ------
    UsageError
        For unknown names and impossible values.
    RunsError
        For a table without compute or an only input of all laws, one too small for any cut-off, and where no law can be
        compared.
    MissingDependencyError
        For a device that is not there.

    Examples
    --------
    >>> found = js.compare(runs, ["pure-power-params"], replicates=64, cuts=2)
    >>> found.best.coverage[0] > 0.5
    True
    >>> found.to_frame().index.tolist()
    ['pure-power-params']
    """
    check_runs("compare", runs)
    chosen = LAWS.each(COMPARED if laws is None else laws)
    asked = asked_of(runs, chosen, objective, scheme, replicates, seed, level, at, device)
    source = runs.origin.source
    failed: dict[str, str] = {}
    cut, chosen = _cuts(asked, chosen, cuts, failed)
    ensembles: dict[Law, Ensemble] = {}
    tests: dict[tuple[Law, float], Backtest] = {}
    reasons: dict[tuple[Law, float], str] = {}
    places = [(law, one) for law in chosen for one in (None, *cut.tolist())]
    on_stage(STAGE, len(places))
    alike = [programs_of(runs, law, asked.objective) for law, _ in places]
    made = side_by_side([partial(_judged, law, one, asked) for law, one in places], alike, on_done)
    for (law, one), found in zip(places, made, strict=True):
        if isinstance(found, Ensemble):
            ensembles[law] = found
        elif isinstance(found, Backtest):
            tests[law, found.cut] = found
        elif one is None:
            failed[law.name] = found
        else:
            reasons[law, one] = found
    unit = "FLOP" if asked.along == "flops" else asked.along
    kept, left_out = _common(list(ensembles), cut, reasons, unit)
    for law in list(ensembles):
        why = [AT_CUT.format(cut=one, unit=unit, why=reasons[law, one]) for one in kept if (law, one) in reasons]
        if why or not kept:
            del ensembles[law]
            failed[law.name] = "; ".join(why) or "; ".join(left_out.values())
    if not ensembles:
        raise RunsError(NONE_LEFT.format(source=source, why="; ".join(f"{k}: {v}" for k, v in failed.items())))
    scores = _scores({law: [tests[law, one] for one in kept] for law in ensembles}, ensembles, asked)
    return Comparison(runs, asked.along, asked.size, np.array(kept), scores, failed, left_out, level, replicates, seed)


def _judged(law: Law, cut: float | None, asked: Asked) -> Ensemble | Backtest | str:
    """Return a law fitted to all runs, or its back-test at a cut-off; why there is none where it fails."""
    try:
        return fitted_to(law, np.flatnonzero(asked.is_known), asked) if cut is None else backtest(law, cut, asked)
    except (RunsError, UsageError) as error:
        return str(error)


def asked_of(
    runs: Runs,
    laws: Sequence[Law],
    objective: Objective | str,
    scheme: Scheme | str,
    replicates: int,
    seed: int,
    level: float,
    at: Mapping[str, float] | None = None,
    device: str = "auto",
) -> Asked:
    """Return what is common to all fits, checked; raise UsageError or RunsError."""
    objective, scheme = OBJECTIVES.resolve(objective), SCHEMES.resolve(scheme)
    check_level(level)
    check_seed(seed)
    check_drawn(scheme)
    if isinstance(replicates, bool) or not isinstance(replicates, int | np.integer) or replicates < 2:
        raise UsageError(BAD_COUNT.format(replicates=replicates))
    if not laws:
        raise UsageError(NO_LAWS)
    names = [law.name for law in laws]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(TWICE.format(name=name))
    check_clusters(runs, scheme, has_own=False)
    along, size = _size_of(runs, laws)
    is_known = np.isfinite(runs.loss) & (runs.loss > 0) & (runs.weight > 0) & np.isfinite(size) & (size > 0)
    return Asked(
        runs,
        along,
        size,
        is_known,
        objective,
        scheme,
        int(replicates),
        int(seed),
        level,
        dict(at or {}),
        device,
    )


def _size_of(runs: Runs, laws: Sequence[Law]) -> tuple[str, np.ndarray]:
    """Return what a table is cut by and the numbers (n,): compute where it is known, else the laws' only input."""
    for law in laws:
        flops = priced(law, runs).columns.get("flops")
        if flops is not None and flops.ndim == 1:
            return "flops", flops
    inputs = {name for law in laws for name in law.inputs}
    column = runs.columns.get(next(iter(inputs))) if len(inputs) == 1 else None
    if column is None or column.ndim != 1:
        raise RunsError(NO_SIZE.format(source=runs.origin.source))
    return inputs.pop(), column


def _cuts(
    asked: Asked, laws: list[Law], cuts: int | Sequence[float], failed: dict[str, str]
) -> tuple[np.ndarray, list[Law]]:
    """Return the cut-offs, and the laws for which there are runs enough below them; the others go into `failed`.

    Where a table has no cut-off for all laws, those of the most coefs are left out until it has one.
    """
    weight, source = asked.is_known.astype(np.float64), asked.runs.origin.source
    if not isinstance(cuts, int):
        found = cut_offs(
            asked.size, weight, cuts, least_runs(min(len(law.coefs) for law in laws), is_given=True), source
        )
        count = int(np.sum(asked.is_known & below(asked.size, found[0])))
        for law in laws:
            coefs, needed = len(law.coefs), least_runs(len(law.coefs), is_given=True)
            if needed > count:
                failed[law.name] = BELOW_CUT.format(count=count, law=law.name, coefs=coefs, least=needed)
        return found, [law for law in laws if law.name not in failed]
    while True:
        most = max(len(law.coefs) for law in laws)
        left = [law for law in laws if len(law.coefs) < most]
        try:
            return cut_offs(asked.size, weight, cuts, least_runs(most), source), laws
        except RunsError:
            if not left:
                raise
        for law in laws:
            if law not in left:
                failed[law.name] = TOO_FEW_RUNS.format(law=law.name, coefs=most, least=least_runs(most))
        laws = left


def _common(
    laws: list[Law], cuts: np.ndarray, reasons: Mapping[tuple[Law, float], str], unit: str
) -> tuple[list[float], dict[float, str]]:
    """Return the cut-offs at which at least half of the laws could be fitted, and why the others are left out."""
    kept, left_out = [], {}
    for cut in cuts.tolist():
        why = [f"{law.name}: {reasons[law, cut]}" for law in laws if (law, cut) in reasons]
        if 2 * len(why) > len(laws):
            left_out[cut] = AT_CUT.format(cut=cut, unit=unit, why=NOBODY.format(why="; ".join(why)))
        else:
            kept.append(cut)
    return kept, left_out


def _scores(
    tests: Mapping[Law, list[Backtest]], ensembles: Mapping[Law, Ensemble], asked: Asked
) -> tuple[LawScore, ...]:
    """Return the scores of laws, the least error first; the regret of each is that under the first."""
    density = np.stack([np.concatenate([one.log_density for one in each]) for each in tests.values()], axis=1)
    weights = stacking_weights(density)
    made = [
        LawScore(
            ensembles[law].fit, ensembles[law], tuple(each), float(weight), *information_criteria(ensembles[law].fit)
        )
        for (law, each), weight in zip(tests.items(), weights, strict=True)
    ]
    made.sort(key=lambda one: one.root_mean_square)
    truth = made[0].fit
    reference = frontier_between(truth, made[0].backtests[0].cut, asked)
    return tuple(
        replace(one, backtests=tuple(with_regret(test, reference, truth, asked) for test in one.backtests))
        for one in made
    )
