"""`python -m benchmarks noisy`: every law on noisy tables of its own, and what its programs cost to compile."""

from __future__ import annotations

import os
import statistics
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import click

from benchmarks import options, records, sheets
from benchmarks.sheets import Sheet

if TYPE_CHECKING:
    import jaxscale as js

USABLE = ("converged", "at_bound")
"""Statuses that are, in words: this file is imported before the package."""
ROWS, NOISE = 60, 0.01
WANTED = 0.99
MOST_COMPILE, MEDIAN_COMPILE = 12.0, 7.0
"""CPU seconds that the programs of a fit may take to compile: of any law, and of the middle one."""
COLUMNS = (
    "law",
    "coefs",
    "compile",
    "fits usable",
    "replicates usable",
    "not usable",
    "evaluations",
    "most",
    "met",
)
NOTES = (
    "Compile: CPU seconds of the programs of a fit, without those that all laws share.",
    "Evaluations: mean and most of a replicate, the survey's included, over the fits that are usable.",
    f"Met: at least {WANTED:.0%} of the fits and of the replicates usable.",
)


@dataclass(frozen=True)
class Tried:
    """One law.   compile: CPU seconds.   fits, replicates: by status.   evaluations, most: of a replicate."""

    law: str
    coefs: int
    compile: float
    fits: Mapping[str, int]
    replicates: Mapping[str, int]
    evaluations: float | None
    most: int

    @property
    def is_met(self) -> bool:
        """Whether enough of the fits and of the replicates are usable."""
        return min(usable_share(self.fits), usable_share(self.replicates)) >= WANTED


@click.command()
@click.option("--law", "names", multiple=True, metavar="NAME", help="Law to try; repeatable.  [default: every law]")
@click.option("--settings", default=20, show_default=True, type=options.POSITIVE, help="Random settings of each law.")
@click.option("--replicates", default=200, show_default=True, type=options.POSITIVE, help="Of each fit.")
@click.option("--add", is_flag=True, help="Keep what the JSON file holds of other laws, and try those that it lacks.")
@options.seed
@options.out
def noisy(names: tuple[str, ...], settings: int, replicates: int, add: bool, seed: int, out: str | None) -> None:
    """Fit and bootstrap noisy runs of every law, at random settings of its documented range.

    Hours for every law: one that its tables hardly carry takes thousands of evaluations a replicate. The JSON file is
    written after every law, so that a run that was stopped goes on with --add. The exit code is 1 where a law falls
    short.
    """
    import numpy as np

    import jaxscale as js
    from benchmarks import laws, machine
    from jaxscale.laws.predicting import random_columns

    chosen = [js.LAWS.resolve(name) for name in names] or list(js.LAWS)
    columns = random_columns(js.LAWS.resolve("chinchilla"), np.random.default_rng(seed), ROWS)
    js.fit(js.simulate("chinchilla", "besiroglu2024", columns=columns), laws.CHINCHILLA)  # what all laws share
    asked = {"settings": settings, "replicates": replicates, "rows": ROWS, "noise": NOISE, "seed": seed}
    described = machine.describe()
    found: list[dict] = records.begun("noisy", out, add=add, machine=described, options=asked)["results"]
    for law in chosen:
        if law.name not in [one["law"] for one in found]:
            one = tried(law, settings=settings, replicates=replicates, seed=seed)
            click.echo("   ".join(_cells(one)), err=True)
            found.append(asdict(one))
            records.write(records.document("noisy", found, machine=described, options=asked), out)
    document = records.document("noisy", found, machine=described, options=asked)
    path = records.write(document, out)
    sheets.show(tabulate(document))
    click.echo(f"written to {path}", err=True)
    if not all(Tried(**one).is_met for one in found):
        raise click.exceptions.Exit(1)


def tried(law: js.Law, *, settings: int, replicates: int, seed: int) -> Tried:
    """Return what became of the fits of one law and of their replicates."""
    import numpy as np

    import jaxscale as js
    from jaxscale.laws.predicting import random_coefs, random_columns

    random = np.random.default_rng(seed)
    columns, objective = random_columns(law, random, ROWS), js.huber(space=law.space)
    fits, ended, steps, spent = Counter[str](), Counter[str](), [], []
    for setting in range(settings):
        runs = js.simulate(law, random_coefs(law, random), columns=columns, noise=NOISE, seed=setting)
        begun = sum(os.times()[:2])
        fit = js.fit(runs, law, objective=objective)
        spent.append(sum(os.times()[:2]) - begun)
        fits[str(fit.status)] += 1
        if fit.is_usable:
            ensemble = js.bootstrap(fit, replicates=replicates, seed=setting)
            ended.update(str(js.Status(code)) for code in ensemble.status)
            steps.append(ensemble.steps)
    warm = statistics.median(spent[1:]) if len(spent) > 1 else 0.0
    every = np.concatenate(steps) if steps else None
    return Tried(
        law.name,
        len(law.coefs),
        max(spent[0] - warm, 0.0),
        dict(fits),
        dict(ended),
        None if every is None else float(every.mean()),
        0 if every is None else int(every.max()),
    )


def usable_share(counts: Mapping[str, int]) -> float:
    """Return which share of the statuses is usable; 0 of none."""
    usable = sum(count for status, count in counts.items() if status in USABLE)
    return usable / max(sum(counts.values()), 1)


def tabulate(document: Mapping) -> tuple[Sheet, ...]:
    """Return the table of a document: all laws, with what compiling them takes."""
    found, asked = [Tried(**one) for one in document["results"]], document["options"]
    seconds = [one.compile for one in found]
    told = (
        f"Compile: {statistics.median(seconds):.1f} CPU s in the middle, {max(seconds):.1f} at most "
        f"(wanted: {MEDIAN_COMPILE:g} and {MOST_COMPILE:g})."
    )
    title = "{settings} settings of {rows} runs with {noise:.0%} noise, {replicates} replicates each".format(**asked)
    return (Sheet(title, COLUMNS, tuple(map(_cells, found)), (*NOTES, told)),)


def _cells(one: Tried) -> tuple[str, ...]:
    unusable = {name: count for name, count in one.replicates.items() if name not in USABLE}
    return (
        one.law,
        str(one.coefs),
        f"{one.compile:.1f}",
        f"{usable_share(one.fits):.0%}",
        f"{usable_share(one.replicates):.2%}",
        ", ".join(f"{count} {name}" for name, count in sorted(unusable.items())) or sheets.ABSENT,
        sheets.text(one.evaluations),
        str(one.most),
        "yes" if one.is_met else "NO",
    )
