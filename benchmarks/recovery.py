"""`python -m benchmarks recovery`: whether each law finds its own coefs again, in random settings of its range."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import click

from benchmarks import options, records, sheets
from benchmarks.sheets import Sheet

if TYPE_CHECKING:
    import jaxscale as js

RECOVERED, FLAGGED, REFUSED, FALSE = "recovered", "flagged", "refused", "false success"
TOLERANCE = 1e-6
"""Relative error of every coef up to which a setting counts as recovered."""
ROWS = 48
WANTED = 0.99
COLUMNS = ("law", "settings", RECOVERED, FLAGGED, REFUSED, FALSE, "largest error", "seconds", "met")
NOTES = (
    f"Recovered: a usable status, and every coef to {TOLERANCE:g} of itself, from the starts that a fit has by itself.",
    "Flagged: usable but wrong, and it reports other minima, a coef at its bound or one that is not identified.",
    "Refused: a status that is not usable.   False success: usable and wrong, and nothing says so.",
    f"Met: at least {WANTED:.0%} recovered and no false success.   Largest error: among the recovered.",
)


@click.command()
@click.option("--law", "names", multiple=True, metavar="NAME", help="Law to try; repeatable.  [default: every law]")
@click.option("--settings", default=200, show_default=True, type=options.POSITIVE, help="Random settings of each law.")
@click.option("--rows", default=ROWS, show_default=True, type=options.POSITIVE, help="Noise-free runs in each table.")
@options.seed
@options.out
def recovery(names: tuple[str, ...], settings: int, rows: int, seed: int, out: str | None) -> None:
    """Fit noise-free runs of every law at random settings of its documented range, from its default starts.

    A law compiles once: all of its tables have one shape. The exit code is 1 where a law falls short.
    """
    import jaxscale as js
    from benchmarks import machine

    laws = [js.LAWS.resolve(name) for name in names] or list(js.LAWS)
    results = []
    for law in laws:
        results.append(tried(law, settings=settings, rows=rows, seed=seed))
        click.echo("   ".join(_cells(results[-1])), err=True)
    document = records.document(
        "recovery",
        results,
        machine=machine.describe(),
        options={"settings": settings, "rows": rows, "seed": seed, "tolerance": TOLERANCE},
    )
    sheets.show(tabulate(document))
    click.echo(f"written to {records.write(document, out)}", err=True)
    if not all(result["met"] for result in results):
        raise click.exceptions.Exit(1)


def tried(law: js.Law, *, settings: int, rows: int, seed: int) -> dict:
    """Return the counts of one law, and every setting that was not recovered with what was found."""
    import numpy as np

    import jaxscale as js
    from jaxscale.laws.predicting import random_coefs, random_columns

    begun, random = time.perf_counter(), np.random.default_rng(seed)
    counts, missed, largest = dict.fromkeys((RECOVERED, FLAGGED, REFUSED, FALSE), 0), [], 0.0
    for setting in range(settings):
        columns, truth = random_columns(law, random, rows), random_coefs(law, random)
        fit = js.fit(js.simulate(law, truth, columns=columns), law, objective=js.huber(space=law.space))
        error = max(abs(fit.coefs[name] / truth[name] - 1.0) for name in law.names)
        outcome = judged(fit, error)
        counts[outcome] += 1
        if outcome == RECOVERED:
            largest = max(largest, error)
        else:
            missed.append({"setting": setting, "outcome": outcome, "status": str(fit.status), "error": _number(error),
                           "truth": truth, "found": {name: _number(value) for name, value in fit.coefs.items()},
                           "value": _number(fit.value), "other_minima": len(fit.certificate.other_minima)})  # fmt: skip
    return {
        "law": law.name,
        "settings": settings,
        "counts": counts,
        "largest_error": largest if counts[RECOVERED] else None,
        "seconds": time.perf_counter() - begun,
        "met": is_met(counts, settings),
        "missed": missed,
    }


def judged(fit: js.Fit, error: float) -> str:
    """Return how a fit ended, the largest relative error of its coefs being known; NaN is an error."""
    if not fit.is_usable:
        return REFUSED
    if error <= TOLERANCE:
        return RECOVERED
    says_so = bool(fit.certificate.other_minima or fit.at_bound or fit.unidentified)
    return FLAGGED if says_so else FALSE


def is_met(counts: Mapping[str, int], settings: int) -> bool:
    """Return whether enough settings were recovered, and none falsely."""
    return counts[RECOVERED] >= WANTED * settings and counts[FALSE] == 0


def tabulate(document: Mapping) -> tuple[Sheet, ...]:
    """Return the table of a document."""
    chosen = document["options"]
    title = f"{chosen['settings']} settings of {chosen['rows']} noise-free runs, seed {chosen['seed']}"
    return (Sheet(title, COLUMNS, tuple(map(_cells, document["results"])), NOTES),)


def _cells(result: Mapping) -> tuple[str, ...]:
    counts: Iterable[int] = result["counts"].values()
    met = "yes" if result["met"] else "NO"
    seconds = f"{result['seconds']:.0f}"
    return (
        result["law"],
        str(result["settings"]),
        *map(str, counts),
        sheets.text(result["largest_error"], ".1e"),
        seconds,
        met,
    )


def _number(value: float) -> float | None:
    """Return a number, None where it is not finite: JSON has no infinity."""
    return float(value) if abs(value) < float("inf") else None
