"""`python -m benchmarks backtests FOLDER`: what `js.compare` predicts of runs held out, on tables of real runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from jaxscale.results import Comparison
    from jaxscale.results.calibration import Calibration

LEVEL = 0.9
CUTS = (0.5, 0.7, 0.85)
CURVE_LAWS = ("power-tokens", "pure-power-tokens")
SHARES = "{name:24s} {share:6.1%} of {count} inside, median width {width:.1%}"


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--only",
    type=click.Choice(["scan", "curves", "laws", "skaling"]),
    multiple=True,
    help=("Parts to run; repeatable. [default: all]"),
)
@click.option("--replicates", type=int, default=64, show_default=True, help="At each cut-off.")
@click.option("--scan-laws", default="chinchilla,skaling,kaplan,farseer", show_default=True, help="Laws of `scan`.")
@click.option("--splits", type=int, default=10, show_default=True, help="Halvings of the curves.")
def backtests(folder: Path, only: tuple[str, ...], replicates: int, scan_laws: str, splits: int) -> None:
    """Hold comparisons of laws against runs that they have not seen; FOLDER holds the tables.

    Every rule is fixed before: the cells are a third of a decade, the level is 90 %, and what curves teach is learnt on
    one half of them and scored on the other, both ways, for several halvings.
    """
    import jax

    jax.config.update("jax_enable_x64", True)
    parts: dict[str, Callable[[], None]] = {
        "scan": lambda: scan(folder, scan_laws.split(","), replicates),
        "curves": lambda: curves(folder, replicates, splits),
        "laws": lambda: laws(folder, replicates),
        "skaling": lambda: skaling(folder, replicates),
    }
    for name in only or parts:
        start = time.perf_counter()
        click.echo(f"== {name}")
        parts[name]()
        click.echo(f"   {time.perf_counter() - start:.0f} s")


def scan(folder: Path, names: Sequence[str], replicates: int) -> None:
    """Print the bands of the cells from 3e19 FLOP, by what was fitted up to 1e19."""
    import jaxscale as js
    from jaxscale.comparing import hold_out

    cells = {"params": 1 / 3, "tokens": 1 / 3}
    below, above = (
        js.read_runs(folder / "scan_llm.csv", where=[where], lowest_per=cells, map={"loss": "loss"}, units_ok=True)
        for where in ("flops <= 1e19", "flops >= 3e19 and flops <= 2.9e20")
    )
    found = js.compare(below, names, replicates=replicates, level=LEVEL)
    _told(found)
    held = hold_out(found, above)
    for name in held.bands:
        inside = held.is_inside(name)
        click.echo(SHARES.format(name=name, share=inside.mean(), count=len(inside), width=held.width(name)))


def curves(folder: Path, replicates: int, splits: int) -> None:
    """Print how often the last point of a curve lies in the bands from 50, 70 and 85 % of it."""
    import numpy as np

    import jaxscale as js
    from jaxscale.comparing import calibration, compare_groups

    runs = js.read_runs(
        folder / "curves.csv", inputs=("tokens",), map={"tokens": "examples"}, group="curve", units_ok=True
    )
    made = compare_groups(runs, CURVE_LAWS, cuts=CUTS, replicates=replicates)
    for name, why in made.failed.items():
        click.echo(f"not compared: {name}: {why}")
    whole = {name: one for name, one in made.comparisons.items() if len(one.scores) == len(CURVE_LAWS)}
    click.echo(f"{len(whole)} of {len(made.comparisons)} curves carry both laws at all cut-offs")
    names = sorted(whole)
    for seed in range(splits):
        order = np.random.default_rng(seed).permutation(len(names))
        first, second = ([whole[names[at]] for at in half] for half in np.array_split(order, 2))
        for learnt, scored in ((first, second), (second, first)):
            rule = calibration(learnt)
            rows = [_last(one, rule) for one in scored]
            weights = ", ".join(f"{law} {weight:.2f}" for law, weight in zip(rule.laws, rule.weights, strict=True))
            factors = ", ".join(f"{one:.3g}" for one in (*rule.factors, rule.factor(LEVEL)))
            click.echo(f"halving {seed}: weights {weights}; a, b, c, q: {factors}")
            for place, name in enumerate(("calibrated", "new run, not widened", "percentile")):
                inside, width = np.array([pair for row in rows for pair in row[place]]).T
                told = {"share": inside.mean(), "count": len(inside), "width": np.median(width)}
                click.echo("  " + SHARES.format(name=name, **told))


def _last(found: Comparison, rule: Calibration) -> list[list[tuple[bool, float]]]:
    """Return of three bands, at each cut-off, whether the last point is inside, and the width in ln loss."""
    import numpy as np

    from jaxscale.results.mixtures import quantile_of

    told: list[list[tuple[bool, float]]] = [[], [], []]
    by_name = {one.law.name: one for one in found.scores}
    for place in range(len(found.cuts)):
        tests = [by_name[law].backtests[place] for law in rule.laws]
        last = int(np.argmax(tests[0].size))
        band, plain = (found.held_out(place, level=LEVEL, calibration=one) for one in (rule, None))
        parts, weights = [one.predictive for one in tests], np.array(rule.weights)
        ends = [quantile_of(parts, weights, share, has_errors=False) for share in (0.05, 0.95)]
        pairs = [np.log([band.lower, band.upper]), np.log([plain.lower, plain.upper]), np.array(ends)]
        target = np.log(tests[0].loss[last])
        for kept, (low, high) in zip(told, pairs, strict=True):
            kept.append((bool(low[last] <= target <= high[last]), float(high[last] - low[last])))
    return told


def laws(folder: Path, replicates: int) -> None:
    """Print the laws of three tables by what they extrapolate."""
    import jaxscale as js

    farseer = js.read_runs(folder / "farseer_train.csv", units_ok=True)
    _told(js.compare(farseer, ["chinchilla", "farseer"], cuts=2, replicates=replicates, level=LEVEL))
    for corpus in ("rpj", "c4_original", "rw_original"):
        runs = js.read_runs(folder / "gadre_overtrain.csv", where=[f"experiment == '{corpus}'"])
        _told(js.compare(runs, ["chinchilla", "overtraining"], cuts=2, replicates=replicates, level=LEVEL))
    repeated = js.read_runs(folder / "datablations.csv", where=["in_fit182 == 1"], beside=("unique_tokens",))
    _told(js.compare(repeated, ["chinchilla", "data-constrained"], cuts=2, replicates=replicates, level=LEVEL))


def skaling(folder: Path, replicates: int) -> None:
    """Print the difference of `skaling` and `chinchilla` on the replication table, with its interval."""
    import jaxscale as js
    from jaxscale.comparing import difference

    runs = js.read_runs(folder / "epoch_chinchilla.csv", where=["in_paper_fit == 1"])
    found = js.compare(runs, ["chinchilla", "skaling"], cuts=2, replicates=replicates, level=LEVEL)
    _told(found)
    told = difference(found, "skaling", "chinchilla", level=LEVEL)
    for name in ("log_score", "root_mean_square"):
        value, band = getattr(told, name)
        click.echo(f"{name} of skaling less that of chinchilla: {value:.4g}, 90 % {band.lower:.4g} to {band.upper:.4g}")


def _told(found: Comparison) -> None:
    cuts = ", ".join(f"{cut:.3g}" for cut in found.cuts)
    click.echo(f"{Path(found.runs.origin.source).name}: {len(found.runs)} runs, cut-offs {cuts}")
    click.echo(found.to_frame()[["weight", "root_mean_square", "mean_error", "coverage", "log_score"]].to_string())
    for name, why in found.failed.items():
        click.echo(f"not compared: {name}: {why}")
