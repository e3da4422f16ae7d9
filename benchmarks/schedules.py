"""`python -m benchmarks schedules`: laws of schedules on the curves of Luo et al. 2025, beside the published fits.

Fitted on three curves of a size, judged on the six others, as in the authors' README. Nothing is timed.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from benchmarks.sheets import Sheet, show

if TYPE_CHECKING:
    from jaxscale import Fit, Runs
    from jaxscale.schedules import Schedule

SHARED = Path(__file__).parents[1].parent / "shared" / "data"
SIZES = ("25M", "100M", "400M")
METRICS = ("R2", "MAE", "RMSE", "PredE", "WorstE")
PEAK, END, WARMUP = 3e-4, 3e-5, 2160
COLUMNS = ("size and coefs", "objective, 3 curves", *(f"{name}, 6 curves" for name in METRICS), "status")
TITLE = "multi-power and annealing on {table}: log-Huber 1e-3 on three curves, tests on six"
NOTES = (
    "Objective: summed over the rows of cosine_24000, constant_24000 and wsdcon_9. Tests: means over the other curves.",
    "PredE, WorstE: the mean and the largest error relative to the loss. Published: Luo et al. 2025, arXiv 2503.12811.",
)


@click.command()
@click.argument("table", required=False, type=click.Path(exists=True, dir_okay=False))
def schedules(table: str | None) -> None:
    """Fit laws of schedules to TABLE, the curves of Luo et al.: by default ../shared/data/mpl_curves.csv."""
    import jaxscale as js

    path = Path(table) if table else Path(os.environ.get("JAXSCALE_SHARED", SHARED)) / "mpl_curves.csv"
    rows = []
    for size in SIZES:
        curves = read(path, size)
        published = js.LAWS.resolve("multi-power").constants(f"luo2025-{size.lower()}")
        rows.append(_line(f"{size}, published", "multi-power", published, curves, "–"))
        for law in ("multi-power", "annealing"):
            fitted = fitted_to(curves, law)
            rows.append(_line(f"{size}, jaxscale, {law}", law, fitted.coefs, curves, str(fitted.status)))
    show((Sheet(TITLE.format(table=path.name), COLUMNS, tuple(rows), NOTES),))


@dataclass(frozen=True)
class Curves:
    """The curves of one size: those fitted to, and by name those tested on."""

    trained: Runs
    tested: Mapping[str, Runs]


def read(path: Path, size: str) -> Curves:
    """Return the curves of one size, with what laws take of their schedules, by the formulas of these."""
    import jaxscale as js
    from jaxscale.schedules import with_schedules

    runs = js.read_runs(path, inputs=("step", "lr"), where=[f"experiment == '{size}'"])
    runs = with_schedules(runs, schedules_by_name(), run="run")
    names = dict.fromkeys(runs["run"].tolist())
    each = {name: runs.where(f"run == '{name}'") for name in names}
    tested = {name: curve for name, curve in each.items() if curve["is_train"][0] == 0}
    return Curves(runs.where("is_train == 1"), tested)


def schedules_by_name() -> dict[str, Schedule]:
    """Return the nine schedules of the table, by their names there."""
    from jaxscale.schedules import constant, cosine, two_stage, wsd

    found = {}
    for steps in (24_000, 72_000):
        found[f"cosine_{steps}"] = cosine(steps, peak=PEAK, end=END, warmup=WARMUP)
        found[f"constant_{steps}"] = constant(steps, peak=PEAK, warmup=WARMUP)
    for name, decay in (("wsd", "exponential"), ("wsdld", "linear")):
        found[f"{name}_20000_24000"] = wsd(24_000, peak=PEAK, end=END, decay_from=20_000, warmup=WARMUP, decay=decay)
    for second in (3, 9, 18):
        found[f"wsdcon_{second}"] = two_stage(16_000, peak=PEAK, second=second * 1e-5, drop_at=8_000, warmup=WARMUP)
    return found


def fitted_to(curves: Curves, law: str) -> Fit:
    """Return the fit of a law to the three training curves, by the objective of the paper."""
    import jaxscale as js

    return js.fit(curves.trained, law, objective="huber")


def objective_of(curves: Curves, law: str, coefs: Mapping[str, float]) -> float:
    """Return the sum of Huber's score of the misses of ln loss, delta 1e-3, over the training curves."""
    import numpy as np

    from jaxscale.laws import LAWS, predict_with

    delta = 1e-3
    miss = np.abs(np.log(predict_with(LAWS.resolve(law), coefs, curves.trained.columns)) - np.log(curves.trained.loss))
    return float(np.sum(np.where(miss <= delta, 0.5 * miss**2, delta * (miss - 0.5 * delta))))


def metrics_of(curves: Curves, law: str, coefs: Mapping[str, float]) -> dict[str, float]:
    """Return the means over the test curves of R², and of the absolute, RMS, relative and worst relative error."""
    import numpy as np

    from jaxscale.laws import LAWS, predict_with

    found = []
    for curve in curves.tested.values():
        miss = predict_with(LAWS.resolve(law), coefs, curve.columns) - curve.loss
        share = np.abs(miss) / curve.loss
        explained = 1.0 - np.sum(miss**2) / np.sum((curve.loss - curve.loss.mean()) ** 2)
        found.append((explained, np.abs(miss).mean(), np.sqrt(np.mean(miss**2)), share.mean(), share.max()))
    return dict(zip(METRICS, np.mean(found, axis=0).tolist(), strict=True))


def _line(name: str, law: str, coefs: Mapping[str, float], curves: Curves, status: str) -> tuple[str, ...]:
    scores = metrics_of(curves, law, coefs)
    style = {"R2": ".4f"}
    cells = [f"{scores[metric]:{style.get(metric, '.5f')}}" for metric in METRICS]
    return (name, f"{objective_of(curves, law, coefs):.7f}", *cells, status)
