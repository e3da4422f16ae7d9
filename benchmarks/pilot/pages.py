"""The study as tables: what was measured, what was predicted, and how the two compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmarks import markers
from benchmarks.pilot import approaching, diagnosing, ledger, plan, records, revisiting
from benchmarks.pilot.forecast import METHODS, runs_of
from benchmarks.pilot.network import Shape
from benchmarks.sheets import ABSENT, Sheet, markdown

README = Path(__file__).with_name("README.md")
BEGIN, END = "<!-- tables: begin; written by `python -m benchmarks.pilot page` -->", "<!-- tables: end -->"

Rows = Sequence[Mapping[str, str]]

LABELS = {"envelope": "1 envelope of curves", "isoflop": "2 IsoFLOP profiles", "parametric": "3 fit of the law"}
TOLD = "{inside} of {total} measured losses lie inside the {level:.0%} interval `{method}`"


def everything() -> tuple[Sheet, ...]:
    """Return the tables of all that has been written down."""
    tuned, fitted, held_back = (ledger.read(ledger.FOLDER / f"{stage}.csv") for stage in ("tune", "fit", "held-back"))
    documents = (records.PREDICTION, diagnosing.DIAGNOSTICS, revisiting.REVISITED, approaching.APPROACHES)
    return sheets(tuned, fitted, held_back, *map(records.read, documents))


def filled(text: str) -> str:
    """Return the README's text with the tables between its markers."""
    return markers.filled(text, BEGIN, END, [markdown(sheet) for sheet in everything()], README)


def sheets(
    tuned: Rows,
    fitted: Rows,
    held_back: Rows,
    prediction: Mapping | None,
    diagnostics: Mapping | None,
    revisited: Mapping | None,
    approaches: Mapping | None,
) -> tuple[Sheet, ...]:
    """Return the tables of everything that is there."""
    found = []
    if tuned:
        found.append(settings_sheet(tuned))
    if fitted:
        found.append(losses_sheet([*fitted, *held_back]))
    if prediction is not None:
        found += [predictions_sheet(prediction, held_back), best_sheet(prediction, [*fitted, *held_back])]
    if diagnostics is not None:
        found += [warnings_sheet(diagnostics), laws_sheet(diagnostics)]
    if revisited is not None:
        found += [diagnoses_sheet(revisited), bands_sheet(revisited)]
    if approaches is not None:
        found.append(approaches_sheet(approaches))
    return tuple(found)


def settings_sheet(tuned: Rows) -> Sheet:
    """Return what tuning came to: per budget and size, at the batch of the rule, the best rate tried and the rule's."""
    rule = plan.rule_of(tuned)
    points: dict[tuple[float, int], list[Mapping[str, str]]] = {}
    for row in tuned:
        points.setdefault((float(row["budget"]), int(row["params"])), []).append(row)
    rows = []
    for (budget, params), tried in sorted(points.items()):
        best = min(tried, key=lambda row: float(row["loss"]))
        same = [row for row in tried if int(row["batch"]) == rule.batch * int(row["context"])]
        ours = min(same, key=lambda row: float(row["loss"]))
        shape = Shape(int(best["layers"]), int(best["width"]))
        rows.append(
            (
                f"{budget:.3g}", f"{params:,}", best["batch"], best["learning_rate"], best["loss"],
                ours["learning_rate"], ours["loss"], f"{rule.settings(budget, shape, 0).learning_rate:.2g}",
            )
        )  # fmt: skip
    level, size, length = rule.coefs
    notes = (
        f"The rule: batches of {rule.batch} windows, learning rate {np.exp(level):.3g} · params^{size:+.3f} · "
        f"steps^{length:+.3f}, the least squares of ln of the best rates at that batch.",
    )
    columns = ("budget", "params", "best batch", "best rate", "loss", "rate at the rule's batch", "loss", "rule's rate")
    return Sheet("Tuning", columns, tuple(rows), notes)


def losses_sheet(rows: Rows) -> Sheet:
    """Return one line per budget: its losses from the smallest size to the largest, and where they are lowest."""
    best, lines = records.measured_best(runs_of(rows)), []
    for budget in sorted({float(row["budget"]) for row in rows}):
        own = [row for row in rows if float(row["budget"]) == budget]
        by_size: dict[int, list[float]] = {}
        for row in own:
            by_size.setdefault(int(row["params"]), []).append(float(row["loss"]))
        cells = [
            f"{params / 1e3:.0f}k {np.mean(losses):.4f}" + (f" ({np.ptp(losses):.4f})" if len(losses) > 1 else "")
            for params, losses in sorted(by_size.items())
        ]
        lowest = f"{best[budget] / 1e3:.0f}k" if budget in best else ABSENT
        lines.append((f"{budget:.3g}", cells, lowest))
    width = max(len(cells) for _, cells, _ in lines)
    lines = [(budget, *cells, *[ABSENT] * (width - len(cells)), lowest) for budget, cells, lowest in lines]
    columns = ("budget", *(f"size {place + 1}" for place in range(width)), "best params")
    notes = (
        "Each cell: params and validation loss, nats per byte; in brackets the range over seeds, if there are several.",
        "Best params: the lowest point of a cubic of loss in ln params, where it lies between trained sizes.",
    )
    return Sheet("Losses by IsoFLOP budget", columns, tuple(lines), notes)


def predictions_sheet(prediction: Mapping, held_back: Rows) -> Sheet:
    """Return predicted and measured losses, one line per run that was predicted."""
    measured = {row["run"]: float(row["loss"]) for row in held_back}
    lines, inside = [], dict.fromkeys(METHODS, 0)
    for run in prediction["runs"]:
        loss, value = run["loss"], measured.get(run["run"])
        cells = [run["run"], f"{run['params']:,}", f"{run['tokens']:.3g}", f"{loss['value']:.4f}"]
        for method in METHODS:
            low, high = loss[method]["low"], loss[method]["high"]
            holds = value is not None and low <= value <= high
            inside[method] += holds
            mark = "" if value is None else " ✓" if holds else " ✗"
            cells.append(f"{low:.4f} … {high:.4f}{mark}")
        cells += [ABSENT, ABSENT] if value is None else [f"{value:.4f}", f"{100 * (value / loss['value'] - 1):+.2f}"]
        lines.append(tuple(cells))
    level = prediction["intervals"]["level"]
    notes = tuple(
        TOLD.format(inside=inside[method], total=len(measured), level=level, method=method) + "." for method in METHODS
    )
    spans = (f"{level:.0%} {method}" for method in METHODS)
    columns = ("run", "params", "tokens", "predicted", *spans, "measured", "miss, %")
    return Sheet("Predicted and measured loss", columns, tuple(lines), notes if measured else ())


def best_sheet(prediction: Mapping, rows: Rows) -> Sheet:
    """Return predicted and measured best sizes of the budgets that were held back."""
    best, lines = records.measured_best(runs_of(rows)), []
    for one in prediction["best"]:
        params, value = one["params"], best.get(one["budget"])
        spans = [f"{params[method]['low']:,.0f} … {params[method]['high']:,.0f}" for method in METHODS]
        lines.append(
            (f"{one['budget']:.3g}", f"{params['value']:,.0f}", *spans, ABSENT if value is None else f"{value:,.0f}")
        )
    level = prediction["intervals"]["level"]
    columns = ("budget", "predicted", *(f"{level:.0%} {method}" for method in METHODS), "measured")
    notes = ("Measured: the lowest point of the cubic above, through seven runs of one seed each.",)
    return Sheet("Predicted and measured best params", columns, tuple(lines), notes)


def warnings_sheet(diagnostics: Mapping) -> Sheet:
    """Return what the fitted runs alone say for and against the law."""
    lines = []
    for one in diagnostics["back_tests"]:
        inside = ", ".join(f"{count} `{method}`" for method, count in one["inside"].items())
        of_all = f"of {one['runs']} runs inside {one['level']:.0%}: {inside}"
        found = f"{of_all}; mean miss {_percent(one['mean_miss'])} %"
        lines.append((f"runs at {one['budget']:.3g} FLOP, predicted from smaller ones", found))
    depth = diagnostics["layers"]
    found = f"{depth['effect']:+.4f} ± {depth['std']:.4f}, {abs(depth['effect'] / depth['std']):.1f} standard errors"
    lines.append(("effect of ln layers on ln loss, beside the law", found))
    return Sheet("What the fitted runs said of the law beforehand", ("diagnostic", "found"), tuple(lines))


def _percent(log_ratio: float) -> str:
    return f"{100 * np.expm1(log_ratio):+.1f}"


def laws_sheet(diagnostics: Mapping) -> Sheet:
    """Return what other laws, fitted to the same runs, predict of what was asked, and how far they miss it."""
    lines = [
        (
            one["law"], f"{one['objective_value']:.4g}", _percent(one["beside_first"]),
            ABSENT if one["mean_miss"] is None else _percent(one["mean_miss"]),
        )
        for one in diagnostics["laws"]
    ]  # fmt: skip
    first = diagnostics["laws"][0]["law"]
    columns = ("law", "objective on fitted runs", f"prediction beside {first}'s, %", "mean miss of measured losses, %")
    return Sheet("Other laws, fitted to the same runs", columns, tuple(lines))


def diagnoses_sheet(revisited: Mapping) -> Sheet:
    """Return what the package finds today in the fitted runs alone."""
    lines = tuple((f"`{one['code']}`", one["message"].replace("|", "\\|")) for one in revisited["diagnoses"])
    return Sheet("What `jaxscale fit --diagnose` says of the fitted runs", ("code", "message"), lines)


def bands_sheet(revisited: Mapping) -> Sheet:
    """Return how the bands of the laws, and of all together, hold what was held back."""
    by_law = {one["law"]: one for one in revisited["laws"]}
    lines = []
    for one in revisited["bands"]:
        law = by_law.get(one["band"])
        own = (ABSENT, ABSENT) if law is None else (f"{law['error']:.4f}", f"{law['weight']:.2f}")
        held = f"{one['inside']} of {revisited['held_back']}"
        lines.append((one["band"], *own, held, f"{100 * np.expm1(one['width']):.1f}"))
    notes = (
        f"`jaxscale compare`: laws fitted below {len(revisited['cuts'])} cut-offs of the fitted runs and held against "
        f"those above; {revisited['replicates']} replicates by run.",
        "Error: root mean square of ln of prediction over loss there. Weight: by stacking. The band of all laws is "
        "widened by what these back-tests show, and so knows nothing of the runs held back.",
    )  # fmt: skip
    level = f"{revisited['level']:.0%}"
    columns = ("band", "error", "weight", f"held back inside {level}", "median width, %")
    return Sheet("The band of several laws together", columns, tuple(lines), notes)


def approaches_sheet(approaches: Mapping) -> Sheet:
    """Return what the three approaches say: exponents, and the best params of budgets."""
    level, flops = approaches["bootstrap"]["level"], approaches["flops"]
    lines = []
    for one in approaches["approaches"]:
        band, sizes = one["params_exponent_band"], one["params_band"]
        cells = [LABELS[one["name"]], f"{one['params_exponent']:.3f}", f"{band['lower']:.3f} … {band['upper']:.3f}"]
        for place, params in enumerate(one["params"]):
            limits = f"{sizes['lower'][place]:,.0f} … {sizes['upper'][place]:,.0f}"
            cells.append(f"{params:,.0f} ({limits})")
        lines.append((*cells, f"{one['replicates_used']} of {approaches['bootstrap']['replicates']}"))
    price = approaches["price"]
    notes = (
        f"Of {approaches['runs']} runs, resampled by run, seed {approaches['bootstrap']['seed']}; "
        f"bands: {level:.0%} percentile.",
        "Approach 1 sees the losses on the way, at learning rates that had not come down yet.",
        "Compute is counted, not 6 N D; approaches 2 and 3 buy tokens at the power law nearest to it, "
        f"C = {price['k']:.3g} N^{price['u']:.3f} D.",
    )
    columns = ("approach", "a of N* ~ C^a", f"{level:.0%}", *(f"N* at {one:.3g}" for one in flops), "replicates")
    return Sheet("The three approaches", columns, tuple(lines), notes)
