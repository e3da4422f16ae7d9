"""Names of what is registered, and what holds where nothing is said, written down so that no help needs JAX.

A scheme and an interval stand in the file of their name, which the registry imports; of the others, which a test holds
against their registries, several share a file or an import.
"""

from __future__ import annotations

SCHEMA_VERSION = 2
"""Of every JSON document; their schemas are in `reports/schemas`."""
REPLICATES = 4000
"""Of a bootstrap, where no number is asked for."""
OBJECTIVES = ("huber", "squared", "absolute", "log-cosh", "student-t")
SCHEMES = (
    "pairs", "cluster", "bayesian", "residual", "wild", "wild-cluster", "parametric", "parametric-cluster", "jackknife",
    "jackknife-cluster",
)  # fmt: skip
INTERVALS = (
    "percentile", "basic", "bca", "studentised", "normal", "delta", "sandwich", "jackknife", "calibrated", "profile",
)  # fmt: skip
COUNTED = tuple(one for one in INTERVALS if one != "profile")
"""Intervals whose coverage is counted: those that follow from replicates, or from one fit."""
SOLVERS = ("newton", "lbfgs")
DATASETS = ("pilot", "epoch-chinchilla")
DEVICES = ("auto", "cpu", "gpu", "tpu")
FIGURES = (
    "frontier", "isoloss", "residuals", "coefs", "predicted", "isoflop", "curves", "groups", "exponents", "density",
)  # fmt: skip
WIDTHS = ("page", "column")
"""Of a figure in print; the first is the usual one."""
COSTS = (
    "6nd", "lifetime", "serving", "query", "serving-memory", "training-memory", "hours", "dollars", "params", "tokens",
    "tokens_per_param", "active_params", "batched", "steps", "wall-clock",
)  # fmt: skip
CRITERIA = ("regret", "prediction", "n-opt", "d-optimal", "v-optimal", "log-uniform")
"""What runs are chosen for."""
COMPARED = ("chinchilla", "skaling", "kaplan", "farseer")
"""Laws that are compared where none are named."""
SPACES = ("log", "linear")
WEIGHTINGS = ("table", "equal", "balanced", "root-flops")
"""Ways to weight runs in a specification."""
METHODS = ("parabola", "local", "cubic", "akima")
ROLES = ("params", "tokens", "flops", "loss", "weight", "sigma", "group")
CONVENTIONS = (
    "measured", "6nd", "measured-tokens", "measured-params", "total", "nonembedding", "nonembedding+head", "attention",
    "active", "kaplan", "chinchilla", "chinchilla-layers", "palm", "deepseek",
)  # fmt: skip
"""The conventions that count the training of a run."""


def comma_list(names: tuple[str, ...]) -> str:
    """Return the names as a help text shows them."""
    return ", ".join(names)
