"""The report of a comparison of laws: scores on the runs held out, and how they come about; or all as JSON."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from jaxscale.digits import ABSENT, scientific, signed, significant, times
from jaxscale.reports.document import SCHEMA_VERSION, written_data, written_warning
from jaxscale.reports.facts import warning_table
from jaxscale.reports.jsontext import number
from jaxscale.reports.layout import Column, fact_table, plain, whole_table
from jaxscale.results import Backtest, Comparison, LawScore
from jaxscale.results.calibration import SHORTEST
from jaxscale.results.holdout import HeldOut
from jaxscale.text import Json, shown_name

CUT = "{count} from {low} to {high} {unit}; a law is fitted to the runs up to one, and predicts those above"
RESAMPLED = "{replicates:,} replicates at each cut-off and of all runs, seed {seed}"
MEANINGS = (
    "error, mean: root mean square and mean of ln(prediction/loss) of the runs above, in %",
    "in {level:g} %: share of these inside a new run's limits, with its error as of independent runs",
    "score: mean log density of their ln loss, more is better",
    "×C: the error in equivalent compute, as a factor, along the law's own frontier",
    "regret: loss of the size that is recommended at {most} {along} beyond the best, in nats, by {best} on all runs",
    "AICc: of the fit to all runs, less is better; it says nothing of what extrapolates",
    "weight: share in the mixture of laws under which the runs above are likeliest",
)
WIDENED = (
    "combined {level:g} % limits of runs beyond: at least {per} % off the median for every factor of e in {along}, and "
    "{least} % in all, so that they hold in back-tests"
)
NOT_WIDENED = "there are too few runs above the cut-offs for combined {level:g} % limits that hold in back-tests"
GAP = 1


def print_comparison(found: Comparison, console: Console, *, width: int, beyond: HeldOut | None = None) -> None:
    """Print one row per law, one per law and cut-off, what was not compared, and the warnings of the best law."""
    console.print(fact_table(_facts(found)), width=width)
    console.print()
    console.print(_law_table(found, width))
    console.print()
    console.print(_cut_table(found, width))
    console.print()
    if beyond is not None:
        console.print(_held_out_table(beyond, width))
        console.print()
    for line in _remarks(found):
        console.print(plain(line, "dim"), width=width)
    cautions = found.best.fit.findings
    if cautions:
        console.print()
        console.print(warning_table(cautions), width=width)


def comparison_document(found: Comparison, beyond: HeldOut | None = None) -> dict[str, Json]:
    """Return everything that is printed, and every prediction, at full precision; null for what does not exist."""
    return {
        "schema_version": SCHEMA_VERSION,
        "data": written_data(found.best.fit),
        "cuts": [float(cut) for cut in found.cuts],
        "level": found.level,
        "replicates": found.replicates,
        "seed": found.seed,
        "laws": [_score(found, one) for one in found.scores],
        "failed": dict(found.failed),
        "left_out": [{"cut": cut, "reason": why} for cut, why in found.left_out.items()],
        "along": found.along,
        "calibration": _calibration(found),
        "held_out": None if beyond is None else _held_out(found, beyond),
        "warnings": [written_warning(one) for one in found.best.fit.findings],
    }


def _facts(found: Comparison) -> Iterator[tuple[str, Text]]:
    origin = found.runs.origin
    yield "data", plain(f"{shown_name(origin.source)}: {len(found.runs):,} of {origin.rows:,} runs used")
    ends = {"low": scientific(float(found.cuts[0]), 3), "high": scientific(float(found.cuts[-1]), 3)}
    yield "cut-offs", plain(CUT.format(count=len(found.cuts), unit=_unit(found), **ends))
    yield "bootstrap", plain(RESAMPLED.format(replicates=found.replicates, seed=found.seed))
    for name, why in found.failed.items():
        yield "not compared", plain(f"{name}: {why}", "yellow")
    for why in found.left_out.values():
        yield "left out", plain(why, "yellow")


def _unit(found: Comparison) -> str:
    return "FLOP" if found.along == "flops" else shown_name(found.along)


def _law_table(found: Comparison, width: int) -> Table:
    headers = ("weight", "error %", "mean %", f"in {100 * found.level:g} %", "score", "×C", "regret", "AICc")
    columns = [Column("law", "bold"), *(Column(name, is_right=True) for name in headers)]
    rows = [
        [
            one.law.name,
            significant(one.weight, 2) if one.weight >= 1e-3 else "0",
            *_errors(one.root_mean_square, one.mean_error),
            f"{100 * one.coverage[0]:.0f} ± {100 * one.coverage[1]:.0f}",
            f"{one.log_score:.2f}",
            _factor(one.compute_error),
            significant(one.regret, 2),
            f"{one.aicc:.1f}" if np.isfinite(one.aicc) else ABSENT,
        ]
        for one in found.scores
    ]
    return whole_table(columns, rows, width=width, gap=GAP)


def _cut_table(found: Comparison, width: int) -> Table:
    """Return one row per cut-off and law: how many runs lie above and how far, and what became of them."""
    headers = ("runs", "up to", "error %", "mean %", f"in {100 * found.level:g} %", "×C", "regret")
    columns = [Column("cut-off", "bold"), Column("law"), *(Column(name, is_right=True) for name in headers)]
    rows = []
    for place, cut in enumerate(found.cuts.tolist()):
        for order, score in enumerate(found.scores):
            one = score.backtests[place]
            cells = [scientific(cut, 3), score.law.name, f"{len(one.rows):,}", times(float(np.exp(one.distance.max())))]
            cells = ["", score.law.name, "", ""] if order else cells
            inside = f"{100 * float(np.mean(one.is_inside)):.0f}"
            rows.append([*cells, *_errors(*_moments(one)), inside, _factor(_compute(one)), significant(one.regret, 2)])
    return whole_table(columns, rows, width=width, gap=GAP)


def _held_out_table(beyond: HeldOut, width: int) -> Table:
    """Return one row per band: how many of the runs that were kept back lie inside, and how wide it is."""
    headers = ("runs", f"in {100 * beyond.level:g} %", "below", "above", "width %")
    columns = [Column("held out", "bold"), *(Column(name, is_right=True) for name in headers)]
    rows = []
    loss = beyond.runs.loss
    for name, band in beyond.bands.items():
        sides = (f"{int(np.sum(loss < band.lower)):,}", f"{int(np.sum(loss > band.upper)):,}")
        share, wide = f"{100 * float(np.mean(beyond.is_inside(name))):.1f}", beyond.width(name)
        shown = f"{100 * wide:.1f}" if np.isfinite(wide) else ABSENT
        rows.append([name, f"{len(beyond.runs):,}", share, *sides, shown])
    return whole_table(columns, rows, width=width, gap=GAP)


def _held_out(found: Comparison, beyond: HeldOut) -> dict[str, Json]:
    return {
        "level": beyond.level,
        "rows": [int(row) for row in beyond.runs.row],
        found.along: [number(float(one)) for one in beyond.size],
        "loss": [number(float(one)) for one in beyond.runs.loss],
        "bands": {
            name: {
                "share": number(float(np.mean(beyond.is_inside(name)))),
                "width": number(beyond.width(name)),
                **{end: [number(float(one)) for one in getattr(band, end)] for end in ("lower", "upper")},
            }
            for name, band in beyond.bands.items()
        },
    }


def _remarks(found: Comparison) -> Iterator[str]:
    told = {"level": 100 * found.level, "most": scientific(float(np.nanmax(found.size)), 3), "along": _unit(found)}
    yield from (line.format(best=found.best.law.name, **told) for line in MEANINGS)
    rule = found.calibration
    factor = rule.factor(found.level)
    if np.isfinite(factor):
        told = {"per": significant(100 * factor, 2), "least": significant(100 * factor * SHORTEST, 2)}
        yield WIDENED.format(level=100 * found.level, along=_unit(found), **told)
    else:
        yield NOT_WIDENED.format(level=100 * found.level)


def _errors(root_mean_square: float, mean: float) -> tuple[str, str]:
    return f"{100 * root_mean_square:.2f}", signed(float(f"{100 * mean:.2f}"))


def _factor(log_factor: float) -> str:
    """Return what an error of ln compute is as a factor."""
    return times(float(np.exp(log_factor))) if np.isfinite(log_factor) and log_factor < 700 else ABSENT


def _moments(one: Backtest) -> tuple[float, float]:
    return float(np.sqrt(np.mean(one.errors**2))), float(np.mean(one.errors))


def _compute(one: Backtest) -> float:
    return float(np.sqrt(np.mean(one.compute**2)))


def _calibration(found: Comparison) -> dict[str, Json]:
    rule = found.calibration
    return {
        "level": found.level,
        "factor": number(rule.factor(found.level)),
        "groups": rule.groups,
        **{f"per_{name}": number(getattr(rule, f"per_{name}")) for name in ("spread", "distance", "fall")},
    }


def _score(found: Comparison, score: LawScore) -> dict[str, Json]:
    share, error = score.coverage
    return {
        "law": score.law.name,
        "weight": number(score.weight),
        "root_mean_square": number(score.root_mean_square),
        "mean_error": number(score.mean_error),
        "coverage": {"share": number(share), "error": number(error)},
        "log_score": number(score.log_score),
        "compute_error": number(score.compute_error),
        "regret": number(score.regret),
        "aic": number(score.aic),
        "aicc": number(score.aicc),
        "status": str(score.fit.status),
        "coefs": {name: number(value) for name, value in score.fit.coefs.items()},
        "usable": int(score.ensemble.usable.sum()),
        "backtests": [_backtest(found, one) for one in score.backtests],
    }


def _backtest(found: Comparison, one: Backtest) -> dict[str, Json]:
    root_mean_square, mean = _moments(one)
    return {
        "cut": one.cut,
        "below": int(np.sum(one.fit.runs.weight > 0)),
        "status": str(one.fit.status),
        "coefs": {name: number(value) for name, value in one.fit.coefs.items()},
        "root_mean_square": number(root_mean_square),
        "mean_error": number(mean),
        "coverage": number(float(np.mean(one.is_inside))),
        "compute_error": number(_compute(one)),
        "params": number(one.params),
        "regret": number(one.regret),
        "rows": [int(row) for row in found.runs.row[one.rows]],
        found.along: [number(float(value)) for value in one.size],
        **{
            name: [number(float(value)) for value in getattr(one, name)]
            for name in ("distance", "loss", "prediction", "low", "high", "log_density", "compute")
        },
    }
