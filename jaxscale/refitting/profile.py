"""Profile likelihood: how far a coef, or what follows from coefs, may move before the best fit is too bad."""

from __future__ import annotations

from jaxscale.intervals.band import check_level
from jaxscale.intervals.spec import Line
from jaxscale.intervals.student import quantile
from jaxscale.refitting.constrained import Quantity
from jaxscale.refitting.held import HeldCoef, HeldQuantity, held_coef, held_quantity
from jaxscale.results import Fit
from jaxscale.results.kinds import check_kind


def profile(
    fit: Fit,
    quantity: str | Quantity,
    *,
    level: float = 0.95,
    line: Line = "real",
    device: str = "auto",
) -> tuple[float, float]:
    """Return the limits of a coef, or of what follows from coefs, by profile likelihood, to 1e-8 of their distance.

    A limit is where the least squares with the quantity held rise by s² t², t Student's quantile on `dof` degrees of
    freedom, of a coef on `dof_of` it. Of another rho the rise is scaled by what its sandwich covariance makes of one
    standard error. Where they never rise so far that is, of a coef, the end of its support, and a refusal for what
    follows from coefs. Where the estimate of a coef lies at a bound, that is one limit, and the other leaves out all
    that lies beyond.

    Parameters
    ----------
    fit
        At a minimum, of `squared` or another objective whose rho has a curvature.
    quantity
        The name of a coef, or a smooth function: quantity(coefs), of coefs name → (k,), returns (k,), as
        `js.allocation.at_optimum` makes them.
    level
        Nominal coverage of the interval, above 0 and below 1.
    line
        The numbers that a function's value may be: `real`, `positive` or `unit`; its limits are looked for there.
    device
        Where to compute: auto, cpu, gpu or tpu.

    Returns
    -------
    tuple of float
        The lower and the upper limit.

    Raises
    ------
    UsageError
        For the objective `absolute`, an unknown coef, one that was not fitted, a level outside (0, 1) or a line that is
        none; its IntervalError where a fit with the quantity held fails or is better than the point fit, and where a
        function reaches no end.

    Notes
    -----
    The ends are sought by the signed root of the rise, which is about linear. With a coef held the others are fitted
    from the law's own starts; along a function the minimum is followed from the point fit, by Newton's steps that keep
    to the constraint, and each is certified by what one more step would lower. For rho functions other than the square
    it is the quasi-likelihood ratio 2 (F_held - F) gᵀH⁻¹g / gᵀVg, V the fit's covariance, g the slope of the quantity
    and H the Hessian, which has Student's square about it also where the errors are not normal or not alike.

    References
    ----------
    Bates & Watts 1988, §6.1; Venzon & Moolgavkar 1988; for other rho functions Kent 1982, Biometrika 69.

    Examples
    --------
    >>> line = js.fit(runs, "pure-power-params", objective="squared")
    >>> low, high = js.refitting.profile(line, "A")
    >>> np.allclose([low, high], line.interval("A"), rtol=1e-6)  # ln A is linear in ln L: they are Student's
    True
    >>> half = js.refitting.profile(line, lambda coefs: 0.5 ** coefs["alpha"])  # of the loss, by doubling params
    >>> np.allclose(half, 0.5 ** np.array(js.refitting.profile(line, "alpha"))[::-1], rtol=1e-6)
    True
    """
    check_level(level)
    root: HeldCoef | HeldQuantity
    check_kind("profile", fit, Fit)
    if isinstance(quantity, str):
        root = held_coef(fit, quantity, device)
        share = 2.0 * level - 1.0 if quantity in fit.at_bound and level > 0.5 else level
    else:
        root, share = held_quantity(fit, quantity, line, device), level
    low, high = (root.end(side, quantile(share, root.dof)) for side in (-1.0, 1.0))
    return (low, high) if low <= high else (high, low)
