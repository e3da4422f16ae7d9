"""Answers built by hand, with the awkward numbers and texts an answer may hold, and what equality means for them."""

import dataclasses
import struct

import numpy as np

from jaxscale.finding import Finding
from jaxscale.laws import LAWS
from jaxscale.objectives import huber
from jaxscale.provenance import Provenance
from jaxscale.resampling.pairs import SCHEME as PAIRS
from jaxscale.results import Certificate, Ensemble, Fit, Frontier, Minimum
from jaxscale.runs import Origin, Runs
from jaxscale.status import Status

HOSTILE = (
    "",
    "../../etc/passwd",
    "a\nb\0c\x1b[31m",
    "</script><img onerror=x>",
    "=1+1",
    "\u202egnp.exe",
    "\ud800 alone",
    "N α ± 😀",
    "x" * 100_000,
    "__proto__",
)
AWKWARD = (0.1 + 0.2, -0.0, 5e-324, 1.7976931348623157e308, 1 / 3, 2.0**53 + 2, np.pi, 1e-17, -1e22, 7.0)
PROVENANCE = Provenance("0.1.0", "0.10.2", "2.4.6", "3.11.7", "cpu", "float64", 1.25, 1 / 3, 4)
COMPARED = ("jaxscale.results", "jaxscale.runs", "jaxscale.store", "jaxscale.intervals.spec")
"""Modules whose records are compared field by field."""
COEFS = {"E": 1.8172, "A": 1 / 3, "B": 2085.43, "alpha": -0.0, "beta": 5e-324}


def texts(*cells):
    column = np.empty(len(cells), dtype=object)
    column[:] = cells
    return column


def runs(**changes):
    n = len(HOSTILE)
    base = Runs(
        columns={"params": np.geomspace(1e6, 1e9, n), "tokens": np.array(AWKWARD), **{HOSTILE[2]: np.full(n, np.nan)}},
        loss=np.linspace(2, 3, n),
        weight=np.array([0.0, *range(1, n)]) / 7,
        group=texts(*HOSTILE),
        labels={HOSTILE[1]: texts(*HOSTILE), "": texts(*[""] * n)},
        row=np.arange(3, 3 + 2 * n, 2),
        origin=Origin(
            "runs.csv",
            "ab" * 32,
            40,
            {"params": "Model Size"},
            {"flops": "6 params tokens"},
            ("loss < 3",),
            {"where": 3},
        ),
        findings=(Finding("renamed", HOSTILE[2]), Finding("odd", "two rows", (1, 2**62))),
    )
    return dataclasses.replace(base, **changes)


def fit(**changes):
    table = changes.pop("runs", None) or runs()
    base = Fit(
        law=LAWS.resolve("chinchilla"),
        objective=huber(1e-3),
        runs=table,
        coefs=COEFS,
        value=0.0010182740178,
        status=Status.CONVERGED,
        certificate=Certificate(1e-15, None, 64, 61, (Minimum(0.1 + 0.2, COEFS, 3),)),
        std={"E": 0.1, "A": None, "B": float("nan"), "alpha": float("inf"), "beta": 0.0},
        residuals=np.array(AWKWARD[: len(table)]),
        fixed=("beta",),
        solver="newton",
        findings=(*table.findings, Finding("few-rows", "10 rows")),
        provenance=PROVENANCE,
    )
    return dataclasses.replace(base, **changes)


def ensemble(of=None, replicates=12, **changes):
    of = of or fit()
    random = np.random.default_rng(5)
    coefs = {name: random.lognormal(size=replicates) for name in of.law.names}
    coefs["E"][5::7] = np.nan  # of replicates that failed
    coefs["alpha"][1::7], coefs["A"][1::7] = -0.0, np.inf  # at their edges
    base = Ensemble(
        fit=of,
        scheme=PAIRS,
        seed=2**32 - 1,
        coefs=coefs,
        value=np.where(np.arange(replicates) % 7 == 4, np.inf, random.random(replicates)),
        status=(np.arange(replicates) % 7).astype(np.int8),
        steps=np.arange(replicates, dtype=np.int32),
        findings=(Finding("failed-replicates", "8 of 12"),),
        provenance=PROVENANCE,
    )
    return dataclasses.replace(base, **changes)


def frontier(of=None, replicates=None, budgets=5):
    of = of or fit()
    random = np.random.default_rng(6)
    flops = np.geomspace(1e18, 1e26, budgets)

    def one(*shape):
        params, tokens, loss = (random.lognormal(size=shape) for _ in range(3))
        params[..., -1] = np.nan
        return {"flops": flops, "params": params, "tokens": tokens, "loss": loss}

    point = Frontier(of.law, COEFS, **one(budgets), measured=(1e18, 3e20))
    if replicates is None:
        return point
    finding = Finding("extrapolation", "far")
    return Frontier(of.law, COEFS, **one(replicates, budgets), at_point=point, findings=(finding,))


def is_identical(one, other):
    """Return whether two answers are equal field by field: arrays in dtype, shape and bits, floats in bits."""
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray):
        is_same_kind = one.dtype == other.dtype and one.shape == other.shape
        return is_same_kind and (
            one.tolist() == other.tolist() if one.dtype == object else one.tobytes() == other.tobytes()
        )
    if isinstance(one, float):
        return struct.pack("d", one) == struct.pack("d", other) or (one != one and other != other)
    if isinstance(one, dict):
        return list(one) == list(other) and all(is_identical(one[key], other[key]) for key in one)
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(is_identical, one, other))
    if type(one).__module__.startswith(COMPARED):
        return all(
            is_identical(getattr(one, field.name), getattr(other, field.name)) for field in dataclasses.fields(one)
        )
    return one == other
