"""Names that the help texts list, written down so that no help needs JAX; a test holds them against the registries."""

from __future__ import annotations

OBJECTIVES = ("huber", "squared", "absolute")
SCHEMES = ("pairs", "cluster")
INTERVALS = ("percentile",)
SOLVERS = ("newton", "lbfgs")
DATASETS = ("pilot", "epoch-chinchilla")
DEVICES = ("auto", "cpu", "gpu", "tpu")
FIGURES = ("frontier", "isoloss", "residuals", "coefs")
METHODS = ("parabola", "local", "cubic", "akima")
ROLES = ("params", "tokens", "flops", "loss", "weight", "sigma", "group")
CONVENTIONS = (
    "measured", "6nd", "measured-tokens", "measured-params", "total", "nonembedding", "nonembedding+head", "attention",
    "active", "kaplan", "chinchilla", "chinchilla-layers", "palm", "deepseek",
)  # fmt: skip
"""The conventions that count the training of a run."""


def listed(names: tuple[str, ...]) -> str:
    """Return the names as a help text shows them."""
    return ", ".join(names)
