"""`python -m benchmarks coverage`: how often each kind of interval holds the truth, over designs, noises and sizes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import as_completed
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

import click

from benchmarks import options, records, sheets
from benchmarks.sheets import Sheet

if TYPE_CHECKING:
    import jaxscale as js

COEFS = {"E": 1.8172, "A": 482.01, "B": 2085.43, "alpha": 0.3478, "beta": 0.3658}
"""Chinchilla's law as Besiroglu et al. 2024 fitted it."""
SIZES = {20: 4, 60: 4, 245: 5}
"""Rows of a design, and how many of them are checkpoints of one run where runs have several."""
NOISE, COMMON = 0.01, 0.8
"""Standard deviation of ln loss, and the share of its variance that the checkpoints of a run have in common."""
NOISES = ("gaussian", "student-3", "heteroscedastic")
METHODS: Mapping[bool, Sequence[tuple[str, tuple[str, ...]]]] = {
    False: (("pairs", ("percentile", "basic", "normal", "delta", "bca")), ("wild", ("percentile",))),
    True: (("pairs", ("percentile",)), ("cluster", ("percentile", "normal", "bca")), ("wild-cluster", ("percentile",))),
}
"""By whether rows are checkpoints of runs."""
CALIBRATED = 60
"""Fewest independent rows with Gaussian noise of which calibrated intervals are made, too: they cost ten times more."""
LEVEL, FACTORS = 0.9, (1.0, 10.0, 100.0)
COLUMNS = (
    "design",
    "method",
    "coefs",
    "a",
    *(f"{name} {times:g}×" for name in ("N", "L") for times in FACTORS),
    "none",
)
NOTES = (
    "Shares in % of the studies whose 90 % interval holds the truth; coefs: the mean of the five; a: the exponent of "
    "N_opt; N and L: N_opt and the least loss at 1, 10 and 100 times the largest measured compute.",
    "None: the share of the studies, in %, that have no interval for one of these, by the method's own refusal.",
    "The standard error of a share of 90 % is {error:.1f}.",
)


@click.command()
@click.option("--studies", default=1000, show_default=True, type=options.POSITIVE, help="Of each design.")
@click.option("--replicates", default=499, show_default=True, type=options.POSITIVE, help="Of each study.")
@click.option("--rows", default="20,60,245", show_default=True, callback=options.integers, help="Sizes of designs.")
@click.option("--noise", "noises", multiple=True, type=click.Choice(NOISES), help="Repeatable.  [default: all three]")
@click.option(
    "--calibrated",
    default="100,50",
    show_default=True,
    callback=options.integers,
    metavar="TABLES,REPLICATES",
    help="Of each study, for calibrated intervals.",
)
@options.seed
@click.option("--jobs", default=0, type=click.IntRange(0), help="Processes.  [default: one a core]")
@click.option("--add", is_flag=True, help="Keep what the JSON file holds of other designs, of as many studies.")
@options.out
def coverage(
    studies: int,
    replicates: int,
    rows: tuple[int, ...],
    noises: tuple[str, ...],
    calibrated: tuple[int, int],
    seed: int,
    jobs: int,
    add: bool,
    out: str | None,
) -> None:  # fmt: skip
    """Simulate studies of Chinchilla's law and count what intervals hold.

    Each design and scheme is the work of one process. The JSON file is written as each of them ends.
    """
    from benchmarks import machine
    from jaxscale.parts.executors import processes

    asked = {"studies": studies, "replicates": replicates, "level": LEVEL, "calibrated": list(calibrated), "seed": seed}
    described, begun = machine.describe(), time.perf_counter()
    old = records.begun("coverage", out, add=add, machine=described, options=asked)
    works = [work for kind in product(rows, noises or NOISES, (False, True)) for work in _works(*kind, calibrated)]
    designs = {work[:3] for work in works}
    kept = [one for one in old["results"] if (one["rows"], one["noise"], one["is_runs"]) not in designs]
    before = old.get("seconds", 0.0) if kept else 0.0
    with processes(jobs or machine.cores()) as pool:
        going = {pool.submit(_counted, *work, studies, replicates, seed): work for work in works}
        for one in as_completed(going):
            count, noise, is_runs, scheme, *_ = going[one]
            seconds = time.perf_counter() - begun
            click.echo(f"{count} rows, {noise}, {'runs' if is_runs else 'rows'}, {scheme}: {seconds:.0f} s", err=True)
            kept = sorted([*kept, *one.result()], key=_order)
            document = records.document("coverage", kept, machine=described, options=asked, seconds=before + seconds)
            path = records.write(document, out)
    sheets.show(tabulate(document))
    click.echo(f"written to {path}", err=True)


def _works(
    rows: int, noise: str, is_runs: bool, calibrated: tuple[int, int]
) -> Iterator[tuple[int, str, bool, str, tuple[str, ...], tuple[int, int]]]:
    """Yield design, scheme, intervals, and the tables of nested replicates, of what is one process's work."""
    for scheme, intervals in METHODS[is_runs]:
        yield rows, noise, is_runs, scheme, intervals, (2, 2)
    if not is_runs and noise == "gaussian" and rows >= CALIBRATED:
        yield rows, noise, is_runs, "pairs", ("calibrated",), calibrated


def _order(one: Mapping) -> tuple[int, int, bool, int]:
    """Return where a result comes in the file: by its design, and by how its studies are resampled."""
    schemes = [scheme for scheme, _ in METHODS[one["is_runs"]]]
    at = len(schemes) if one["interval"] == "calibrated" else schemes.index(one["scheme"])
    return one["rows"], NOISES.index(one["noise"]), one["is_runs"], at


def design(rows: int, checkpoints: int) -> js.Runs:
    """Return runs without noise: 5 to 100 tokens per param, 1e18 to 1e21 FLOP.

    checkpoints: of each run, whose last has its full tokens and the first 1/checkpoints of them; 1 for rows alone.
    """
    import numpy as np

    import jaxscale as js

    count = rows // checkpoints
    random = np.random.default_rng(rows)
    flops = np.exp(np.linspace(np.log(1e18), np.log(1e21), count))
    ratio = np.exp(random.uniform(np.log(5.0), np.log(100.0), count))
    params = np.sqrt(flops / 6.0 / ratio)
    size = np.repeat(params, checkpoints)
    tokens = np.repeat(ratio * params, checkpoints) * np.tile(np.arange(1, checkpoints + 1) / checkpoints, count)
    loss = js.predict("chinchilla", COEFS, params=size, tokens=tokens)
    group = None if checkpoints == 1 else np.repeat([f"run{at}" for at in range(count)], checkpoints)
    return js.Runs.from_arrays(params=size, tokens=tokens, loss=loss, group=group)


def truth_on(runs: js.Runs) -> js.Fit:
    """Return the law fitted to noisy losses of these runs, and moved to the truth, which studies are simulated from."""
    import numpy as np

    import jaxscale as js

    random = np.random.default_rng(len(runs))
    noisy = replace(runs, loss=runs.loss * np.exp(NOISE * random.standard_normal(len(runs))))
    return replace(js.fit(noisy, "chinchilla"), coefs=COEFS, residuals=np.log(runs.loss) - np.log(noisy.loss))


def noise_of(name: str, is_runs: bool) -> js.resampling.Scheme:
    """Return the scheme whose tables lie at the prediction with noise of this kind."""
    import jax
    import jax.numpy as jnp

    import jaxscale as js

    def unit(key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        if name == "student-3":
            return jax.random.t(key, 3.0, shape, jnp.float64) / jnp.sqrt(3.0)
        return jax.random.normal(key, shape, jnp.float64)

    def draw(key, table, fitted):  # noqa: ANN001, ANN202 - a draw as of any scheme
        own, common = jax.random.split(key)
        size = table.weight.shape
        noise = unit(own, size)
        if is_runs:
            noise = jnp.sqrt(1.0 - COMMON) * noise + jnp.sqrt(COMMON) * unit(common, size)[table.cluster]
        spread = jnp.full(size, NOISE)
        if name == "heteroscedastic":  # from a third to three times as much, more where the prediction is high
            place = jnp.where(table.weight > 0, fitted.prediction, jnp.nan)
            low, high = jnp.nanmin(place), jnp.nanmax(place)
            spread = NOISE * 3.0 ** (2.0 * (fitted.prediction - low) / (high - low) - 1.0)
        return js.resampling.Draw(table.weight, jnp.where(table.weight > 0, fitted.residual - spread * noise, 0.0))

    return js.resampling.Scheme(name, draw, "this benchmark", needs=("residuals",))


def _counted(
    rows: int,
    noise: str,
    is_runs: bool,
    scheme: str,
    intervals: Sequence[str],
    nested: tuple[int, int],
    studies: int,
    replicates: int,
    seed: int,
) -> list[dict]:
    """Return one record per interval, quantity and budget of a design."""
    from dataclasses import asdict

    import jaxscale as js

    made = js.coverage(
        truth_on(design(rows, SIZES.get(rows, 4) if is_runs else 1)), schemes=[scheme], intervals=intervals,
        noise=noise_of(noise, is_runs), studies=studies, replicates=replicates, level=LEVEL, nested=nested, seed=seed,
    )  # fmt: skip
    found, largest = [], min(made.flops)
    for one in made.held:
        times = None if one.flops is None else one.flops / largest
        entry = {"rows": rows, "noise": noise, "is_runs": is_runs, **asdict(one), "times": times}
        entry |= {"error": one.error, "fitted": studies - sum(made.failed.values())}
        entry |= {"unusable": made.unusable[scheme]}
        found.append({name: None if value != value else value for name, value in entry.items()})
    return found


def tabulate(document: Mapping) -> tuple[Sheet, ...]:
    """Return the table of a document, one row for each design and method."""
    asked, rows = document["options"], {}
    for one in document["results"]:
        kind = "checkpoints of runs" if one["is_runs"] else "runs"
        key = (f"{one['rows']} {kind}, {one['noise']}", f"{one['scheme']}, {one['interval']}")
        rows.setdefault(key, []).append(one)
    cells = tuple((*key, *_shares(found)) for key, found in rows.items())
    error = 100.0 * (0.09 / asked["studies"]) ** 0.5
    title = "{studies} studies of each design, {replicates} replicates of each study".format(**asked)
    seconds = f"{document['seconds'] / 60.0:.0f} minutes in all."
    return (Sheet(title, COLUMNS, cells, (*(note.format(error=error) for note in NOTES), seconds)),)


def _shares(found: Sequence[Mapping]) -> tuple[str, ...]:
    def of(quantity: str, times: float | None = None) -> str:
        for one in found:
            if one["quantity"] == quantity and (times is None or abs(one["times"] / times - 1.0) < 1e-6):
                return sheets.text(None if one["share"] is None else 100.0 * one["share"], ".1f")
        return sheets.ABSENT

    coefs = [one["share"] for one in found if one["quantity"] in COEFS and one["share"] is not None]
    least = min(one["studies"] for one in found)
    fitted = max(found[0]["fitted"], 1)
    return (
        sheets.text(100.0 * sum(coefs) / len(coefs), ".1f") if coefs else sheets.ABSENT,
        of("exponent"),
        *(of(name, times) for name in ("params", "loss") for times in FACTORS),
        f"{100.0 * (1.0 - least / fitted):.1f}",
    )
