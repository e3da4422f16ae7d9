"""`python -m benchmarks kernels`: the pass over the rows as XLA compiles it, against the Pallas kernel."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

PACKAGES = ("jaxscale", "jax", "jaxlib", "numpy")
RESULTS = Path(__file__).parent / "results"
SCHEMA_VERSION = 1
ROWS = 240
NOTHING = "nothing to measure: {reason}"


@click.command()
@click.option(
    "--lanes", multiple=True, type=click.IntRange(1), help="Replicates; repeatable.  [default: 1e4, 1e5, 1e6]"
)
@click.option("--repeats", default=20, show_default=True, type=click.IntRange(1), help="Warm runs of each.")
@click.option("--out", type=click.Path(dir_okay=False), help="JSON file.  [default: results/kernels-DEVICE.json]")
def kernels(lanes: tuple[int, ...], repeats: int, out: str | None) -> None:
    """Time one float32 evaluation of Chinchilla's law under Huber's score, with all derivatives, on an accelerator."""
    import jax

    from benchmarks import machine
    from jaxscale.kernels import choose

    device = jax.devices()[0]
    asked = choose(device.platform, kind=device.device_kind, form="auto")
    if device.platform == "cpu":
        click.echo(NOTHING.format(reason=asked.reason))
        return
    kernel = choose(device.platform, kind=device.device_kind, form="kernel")
    plain = choose(device.platform, kind=device.device_kind, form="plain")
    document = {
        "schema_version": SCHEMA_VERSION,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine.describe(PACKAGES),
        "device": device.device_kind,
        "chosen": {"form": asked.form, "reason": asked.reason},
        "options": {"rows": ROWS, "repeats": repeats},
        "results": [
            compare(count, repeats, plain=plain.evaluate, kernel=kernel.evaluate)
            for count in lanes or (10_000, 100_000, 1_000_000)
        ],
    }
    text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)
    name = device.device_kind.lower().replace(" ", "-")
    target = Path(out) if out else RESULTS / f"kernels-{name}.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text + "\n", encoding="utf-8")
    click.echo(text)
    click.echo(f"written to {target}", err=True)


def compare(lanes: int, repeats: int, **passes: Callable[..., Any]) -> dict[str, object]:
    """Return the milliseconds of each pass on the same tables, turn by turn, and how far their answers differ.

    The first pass is the one that the others are held against.   gap: the largest difference of a value or a
    derivative, relative to the largest of its kind in that lane.
    """
    import jax

    from benchmarks.launches import count
    from jaxscale import precision

    problem, arguments = case(lanes)
    with precision.float64():
        arguments = jax.device_put(arguments)
        compiled = {
            name: jax.jit(one, static_argnums=0).lower(problem, *arguments).compile() for name, one in passes.items()
        }
        answers = {name: jax.block_until_ready(one(*arguments)) for name, one in compiled.items()}
        seconds: dict[str, list[float]] = {name: [] for name in compiled}
        for _ in range(repeats):
            for name, one in compiled.items():
                started = time.perf_counter()
                jax.block_until_ready(one(*arguments))
                seconds[name].append(time.perf_counter() - started)
        first, *others = answers.values()
        gaps = dict(zip(list(answers)[1:], (gap(first, other) for other in others), strict=True))
    return {
        "lanes": lanes,
        "milliseconds": {name: round(1e3 * statistics.median(each), 6) for name, each in seconds.items()},
        "least_milliseconds": {name: round(1e3 * min(each), 6) for name, each in seconds.items()},
        "launches": {name: count(one.as_text()) for name, one in compiled.items()},
        "gap": gaps,
    }


def case(lanes: int) -> tuple[Any, tuple[Any, ...]]:
    """Return Chinchilla's law as a problem, and float32 NumPy arguments of a pass: data, theta, scale, active.

    240 simulated runs under Poisson weights, near the coefs that made them.
    """
    import numpy as np

    from jaxscale.engine.programs import problem_of
    from jaxscale.laws import LAWS
    from jaxscale.objectives import huber
    from jaxscale.solvers.problem import Data

    law, score = LAWS.resolve("chinchilla"), huber()
    random = np.random.default_rng(3)
    params, tokens = 10 ** random.uniform(7, 10, ROWS), 10 ** random.uniform(9, 11.5, ROWS)
    target = np.log(1.8 + 480.0 * params**-0.35 + 2100.0 * tokens**-0.37) + 0.01 * random.standard_normal(ROWS)
    truth = law.theta({"E": 1.8, "A": 480.0, "B": 2100.0, "alpha": 0.35, "beta": 0.37})
    theta = truth + 0.01 * random.standard_normal((lanes, len(truth)))
    weight = np.resize(random.poisson(1.0, (min(lanes, 10_000), ROWS)).astype(np.float32), (lanes, ROWS))
    columns, rest = (params, tokens, target), (theta, weight, np.full(lanes, score.scale), np.ones(len(truth)))
    x, y, z, theta, weight, *others = (np.asarray(one, np.float32) for one in (*columns, *rest))
    return problem_of(law, score.space, score.rho), (Data(((x, y), z), weight), theta, *others)


def gap(one: Iterable[Any], other: Iterable[Any]) -> float:
    """Return the largest difference of two evaluations, relative to the largest entry of its kind in its lane."""
    import numpy as np

    worst = 0.0
    for left, right in zip(one, other, strict=True):
        a, b = (np.asarray(side, np.float64).reshape(len(side), -1) for side in (left, right))
        worst = max(worst, float(np.max(np.abs(a - b) / np.max(np.abs(a), axis=1, keepdims=True))))
    return worst
