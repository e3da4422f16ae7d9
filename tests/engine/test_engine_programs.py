"""Programs are compiled once for a law, an objective and a shape, by JAX's own count."""

from collections.abc import Iterator
from contextlib import contextmanager

import jax
import numpy as np
import pytest

import jaxscale as js

EVENTS = ("/jax/core/compile/jaxpr_trace_duration", "/jax/core/compile/backend_compile_duration")


@contextmanager
def counted() -> Iterator[list[str]]:
    """Collect the traces and compilations that JAX itself reports inside."""
    seen: list[str] = []

    def listen(event: str, duration: float, **_: object) -> None:
        if event in EVENTS:
            seen.append(event)

    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        yield seen
    finally:
        jax.monitoring.unregister_event_duration_listener(listen)


def table(count, seed):
    columns = {"params": np.geomspace(1e7, 1e10 * seed, count)}
    return js.simulate("pure-power-params", {"A": 30.0, "alpha": 0.12}, columns=columns, noise=0.02, seed=seed)


@pytest.fixture(scope="module")
def first():
    fit = js.fit(table(30, 1), law="pure-power-params")
    return fit, js.bootstrap(fit, replicates=300)


def test_the_count_sees_a_compilation():
    with counted() as seen:
        jax.jit(lambda x: x + np.random.default_rng().random())(1.0)
    assert set(seen) == set(EVENTS)


@pytest.mark.parametrize("rows", [30, 32, 25])
def test_a_second_fit_on_another_table_of_the_same_bucket_compiles_nothing(first, rows):
    runs = table(rows, 2)
    with counted() as seen:
        fit = js.fit(runs, law="pure-power-params")
        ensemble = js.bootstrap(fit, replicates=300)
    assert fit.is_usable
    assert ensemble.usable.any()
    assert seen == []
    assert ensemble.provenance.programs == 0


@pytest.mark.parametrize(
    "change",
    [{"replicates": 7}, {"replicates": 1001}, {"seed": 5}],
    ids=str,
)
def test_neither_the_seed_nor_the_number_of_replicates_compiles(first, change):
    fit, _ = first
    with counted() as seen:
        js.bootstrap(fit, **{"replicates": 300, **change})
    assert seen == []


def test_sweeping_the_bend_of_the_score_compiles_nothing(first):
    fit, _ = first
    with counted() as seen:
        for delta in (1e-4, 1e-2):
            js.bootstrap(js.fit(fit.runs, law="pure-power-params", objective=js.huber(delta)), replicates=300)
    assert seen == []


def test_a_fit_and_its_bootstrap_share_the_program_that_solves(first):
    fit, ensemble = first
    # the loop, the verdict and the look at the minimum; then the draw, and, for replicates that failed, multipliers
    assert fit.provenance.programs <= 3
    assert ensemble.provenance.programs <= 1 + bool(ensemble.failed)
