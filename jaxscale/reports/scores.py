"""Reports of scores, as a table and as JSON: each run with its error and bands, and how many lie within them."""

from __future__ import annotations

import numpy as np
from rich.console import Console
from rich.text import Text

from jaxscale.digits import significant, span
from jaxscale.reports.document import SCHEMA_VERSION
from jaxscale.reports.jsontext import number
from jaxscale.reports.layout import Column, fact_table, plain, whole_table
from jaxscale.results.forecast import Score
from jaxscale.text import Json

REGISTERED = "{made}, of {source}, {rows} rows; study {study}"
NOT_BEFORE = "none: a saved study, held against runs that may have been known"
WITHIN = "{count} of {total} within the {level:g} % band of {what}"
ERRORS = "root mean square {rms} %, mean {mean} %: measured over predicted, in ln"
UNMADE = "{count} of the forecast's runs are not in the table"
OTHERS = "{count} of the table's runs are none of the forecast's"
FIVE = 5


def print_score(found: Score, console: Console, width: int, *, is_registered: bool) -> None:
    """Print what was foretold and when, how it came out as a whole, and one line per run."""
    console.print(fact_table(_facts(found, is_registered=is_registered)), width=width)
    console.print()
    told = found.forecast
    columns = [Column("row", "dim"), *(Column(name) for name in told.inputs)]
    columns += [Column("predicted"), Column("measured", "bold"), Column("error")]
    columns += [Column(f"{100.0 * told.level:g} % law", "dim"), Column("new run", "dim"), Column("within")]
    rows = []
    for at, place in enumerate(found.place):
        cells = [str(found.row[at]), *(f"{column[place]:.4g}" for column in told.inputs.values())]
        cells += [significant(float(told.loss[place]), FIVE), significant(float(found.loss[at]), FIVE)]
        cells.append(f"{100.0 * found.error[at]:+.2f} %")
        for low, high in ((told.mean_low, told.mean_high), (told.run_low, told.run_high)):
            cells.append(span(*(significant(float(one[place]), FIVE) for one in (low, high))))
        cells.append("both" if found.in_mean[at] and found.in_run[at] else "new run" if found.in_run[at] else
                     "law" if found.in_mean[at] else "neither")  # fmt: skip
        rows.append(cells)
    console.print(whole_table(columns, rows, width=width))


def _facts(found: Score, *, is_registered: bool) -> list[tuple[str, Text]]:
    told, count = found.forecast, len(found.loss)
    made = {"made": told.made, "source": told.source, "rows": told.facts["rows"], "study": told.study}
    level = 100.0 * told.level
    facts = [
        ("law", f"{told.facts['law']}:  {told.facts['equation']}"),
        ("registered", REGISTERED.format(**made) if is_registered else NOT_BEFORE),
        ("law's mean", WITHIN.format(count=int(found.in_mean.sum()), total=count, level=level, what="the law's mean")),
        ("new run", WITHIN.format(count=int(found.in_run.sum()), total=count, level=level, what="a new run")),
        ("error", ERRORS.format(rms=significant(100.0 * _rms(found.error), 3),
                                mean=significant(100.0 * float(found.error.mean()), 3))),
        ("log score", f"{significant(float(found.log_score.mean()), 4)} a run"),
    ]  # fmt: skip
    ratio = found.compute_ratio
    if np.isfinite(ratio).all():
        middle = significant(float(np.median(ratio)), 3)
        facts.append(("compute", f"the median run came out as {middle} times its compute would have"))
    facts += [("not made", UNMADE.format(count=len(found.unmade)))] if found.unmade else []
    facts += [("others", OTHERS.format(count=found.others))] if found.others else []
    return [(name, plain(text)) for name, text in facts]


def score_document(found: Score, *, is_registered: bool) -> dict[str, Json]:
    """Return the document of `score --json`; numbers at full precision, null for those that do not exist."""
    told = found.forecast
    runs: list[Json] = []
    for at, place in enumerate(found.place):
        runs.append(
            {
                "row": int(found.row[at]),
                "inputs": {name: float(column[place]) for name, column in told.inputs.items()},
                "predicted": number(float(told.loss[place])),
                "measured": number(float(found.loss[at])),
                "error": number(float(found.error[at])),
                "mean": {"low": number(float(told.mean_low[place])), "high": number(float(told.mean_high[place]))},
                "new_run": {"low": number(float(told.run_low[place])), "high": number(float(told.run_high[place]))},
                "in_mean": bool(found.in_mean[at]),
                "in_new_run": bool(found.in_run[at]),
                "log_score": number(float(found.log_score[at])),
                "compute_ratio": number(float(found.compute_ratio[at])),
            }
        )
    return {
        "schema_version": SCHEMA_VERSION,
        "registered": told.made if is_registered else None,
        "study": told.study,
        "source": told.source,
        "level": told.level,
        "facts": dict(told.facts),
        "runs": runs,
        "within": {"mean": int(found.in_mean.sum()), "new_run": int(found.in_run.sum()), "of": len(found.loss)},
        "rms_error": number(_rms(found.error)),
        "mean_log_score": number(float(found.log_score.mean())),
        "unmade": list(found.unmade),
        "others": found.others,
    }


def _rms(error: np.ndarray) -> float:
    return float(np.sqrt(np.mean(error**2)))
