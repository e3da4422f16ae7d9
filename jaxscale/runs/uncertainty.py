"""Standard errors of the losses: what they weigh, and which columns look as if they held them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Literal

import numpy as np

from jaxscale.finding import Finding
from jaxscale.runs.aliases import SIGMA, bare_names, plain
from jaxscale.text import shown, typed

if TYPE_CHECKING:
    from jaxscale.runs.table import Runs

ERRORS_UNUSED = (
    "column {header} may hold the standard errors of the losses and is not used; --map sigma={typed} divides each "
    "residual by its standard error"
)
ERRORS_AS_WEIGHT = (
    "column {header} is given as weight, so that a run counts the more the larger it is there; if it holds standard "
    "errors, write --map sigma={typed} in place of --map weight={typed}"
)
ERRORS_TWICE = (
    "column {weight} is one over the square of {header}, up to a factor, so that the standard errors count twice; "
    "leave --map sigma={typed} away"
)
ROUNDED = 0.1
"""Range of ln(weight sigma²), as a share of that of ln weight, within which it is one constant but for rounding."""

_NAMES = frozenset({"sigma", "std", "stdev", "std dev", "standard deviation", "se", "sem", "stderr", "std err",
                    "std error", "standard error"})  # fmt: skip
_OF_LOSS = _NAMES | {"err", "error", "unc", "uncertainty"}
_SPLIT = ("val", "valid", "validation", "eval", "test", "final", "loss", "of", "the")


def precision_of(runs: Runs, space: Literal["log", "linear"]) -> np.ndarray:
    """Return 1/s² of each run (n,), s the standard error in the units of the residual: sigma/loss in log space.

    Ones for runs without standard errors.
    """
    if runs.sigma is None:
        return np.ones(len(runs))
    with np.errstate(all="ignore"):
        error = runs.sigma / runs.loss if space == "log" else runs.sigma
        return np.asarray(1.0 / error**2)


def looks_like_errors(header: str) -> bool:
    """Return whether a column of this name usually holds standard errors or deviations of the loss."""
    words = re.split(r"[ /.()]+", plain(bare_names(header)[-1]).strip("() "))
    rest = " ".join(word for word in words if word not in _SPLIT)
    return rest in (_OF_LOSS if "loss" in words else _NAMES)


def findings_of_errors(
    roles: Mapping[str, str], columns: Iterable[str], loss: np.ndarray, values: Mapping[str, np.ndarray]
) -> tuple[Finding, ...]:
    """Return what is to be said about columns that look like standard errors: one as a weight, one that is not used,
    one that is used beside weights which are made of it.

    roles: role → header.   columns: the headers that play none.   loss: (n,).   values: header or role → (n,) float64.
    One that is not used is named only where its numbers can be errors: positive, and below the losses.
    """
    weight = roles.get("weight")
    if weight is not None and looks_like_errors(weight):
        return (Finding("errors-as-weight", ERRORS_AS_WEIGHT.format(header=shown(weight), typed=typed(weight))),)
    if SIGMA in roles:
        if weight is None or not _is_made_of(values["weight"], values[SIGMA]):
            return ()
        told = {"weight": shown(weight), "header": shown(roles[SIGMA]), "typed": typed(roles[SIGMA])}
        return (Finding("errors-twice", ERRORS_TWICE.format(**told)),)
    for header in columns:
        if looks_like_errors(header) and header in values:
            numbers = values[header]
            with np.errstate(invalid="ignore"):
                is_possible = bool(((numbers > 0) & (numbers < np.abs(loss))).all())
                if is_possible and not (weight is not None and _is_made_of(values["weight"], numbers)):
                    said = ERRORS_UNUSED.format(header=shown(header), typed=typed(header))
                    return (Finding("errors-unused", said),)
    return ()


def _is_made_of(weight: np.ndarray, errors: np.ndarray) -> bool:
    """Return whether weights are one over the square of standard errors, up to a factor; not where they are all one."""
    if not bool(((weight > 0) & (errors > 0)).all()):
        return False
    return float(np.ptp(np.log(weight) + 2.0 * np.log(errors))) < ROUNDED * float(np.ptp(np.log(weight)))
