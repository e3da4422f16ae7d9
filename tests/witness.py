"""A second opinion on sums of powers: the Huber objective and its derivatives in NumPy, minimised by SciPy.

Shares nothing with the package. A point holds the logarithms of a law's coefs, in the law's order, with amplitudes
taken at the geometric mean of their column: A N^-alpha = A0 (N / mean N)^-alpha.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import minimize

TERMS = {
    "chinchilla": (("E", None, None), ("A", "alpha", "params"), ("B", "beta", "tokens")),
    "chinchilla-tied": (("E", None, None), ("A", "alpha", "params"), ("B", "alpha", "tokens")),
    "power-tokens": (("E", None, None), ("A", "alpha", "tokens")),
    "power-params": (("E", None, None), ("A", "alpha", "params")),
}
"""The terms of each law: amplitude, exponent and column."""
FAR_DOWN = -40.0
"""Where a coef at zero starts: 4e-18, which changes no prediction and has a slope that is not zero."""


@dataclass(frozen=True)
class Witness:
    """The objective of one table under one law.

    names: the law's coefs, p.   amplitude, exponent: per term, places in `names`; -1 for no exponent.   column: (k, n)
    centred logarithms per term, zeros for a floor; centre: (k,) what was taken off.   target: (n,) ln loss.
    """

    names: tuple[str, ...]
    amplitude: np.ndarray
    exponent: np.ndarray
    column: np.ndarray
    centre: np.ndarray
    target: np.ndarray
    delta: float

    @classmethod
    def of(cls, runs, law, delta=1e-3):
        """Return the witness of runs under one of the laws of TERMS, given as its record."""
        terms = TERMS[law.name]
        logs = [np.zeros(len(runs)) if column is None else np.log(runs[column]) for *_, column in terms]
        centre = np.array([log.mean() for log in logs])
        amplitude = np.array([law.names.index(name) for name, *_ in terms])
        exponent = np.array([-1 if name is None else law.names.index(name) for _, name, _ in terms])
        return cls(law.names, amplitude, exponent, np.stack(logs) - centre[:, None], centre, np.log(runs.loss), delta)

    def point(self, coefs):
        """Return coefs as a point (p,); one that is zero is at minus infinity, where the objective is finite."""
        values = np.array([coefs[name] for name in self.names])
        with np.errstate(divide="ignore"):
            return self._moved(np.log(values), -values)

    def coefs(self, point):
        """Return the coefs of a point."""
        values = np.exp(self._moved(point, np.exp(point)))
        return dict(zip(self.names, values.tolist(), strict=True))

    def value(self, point, weight):
        """Return the sum over rows of weight times Huber's rho of ln(prediction) - ln(loss)."""
        return self.slope(point, weight)[0]

    def slope(self, point, weight):
        """Return the value and its gradient (p,)."""
        residual, share, bent = self._residuals(point)
        pull = np.clip(residual, -self.delta, self.delta)
        return float(weight @ (pull * (residual - 0.5 * pull))), (weight * pull) @ self._slopes(share, bent)

    def curvature(self, point, weight):
        """Return the Hessian (p, p); at the threshold of rho, that of its inside."""
        residual, share, bent = self._residuals(point)
        pull, inside = weight * np.clip(residual, -self.delta, self.delta), weight * (np.abs(residual) <= self.delta)
        slopes = self._slopes(share, bent)
        # the Hessian of ln(sum of terms): the terms' own bends and squared slopes, less the square of the mean slope
        total = slopes.T @ ((inside - pull)[:, None] * slopes)
        for a, e, mass, bend in zip(self.amplitude, self.exponent, pull * share, bent, strict=True):
            total[a, a] += mass.sum()
            if e >= 0:
                total[a, e] += mass @ bend
                total[e, a] += mass @ bend
                total[e, e] += mass @ (bend + bend * bend)
        return total

    def lowest(self, start, weight):
        """Return the lowest value that SciPy reaches from a start, and where: BFGS, then a trust region's Newton."""
        drawn = weight > 0
        table, mass = replace(self, column=self.column[:, drawn], target=self.target[drawn]), (weight[drawn],)
        begin = np.maximum(start, FAR_DOWN)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            rough = minimize(table.slope, begin, mass, "BFGS", jac=True, options={"gtol": 1e-12, "maxiter": 200})
            options = {"gtol": 1e-15, "maxiter": 40}
            fine = minimize(table.slope, rough.x, mass, "trust-exact", jac=True, hess=table.curvature, options=options)
        best = min(rough, fine, key=lambda found: found.fun if np.isfinite(found.fun) else np.inf)
        return float(best.fun), best.x

    def beside(self, point, spread, random):
        """Return a point jittered by `spread` on the real line; a coef at zero is brought back inside first."""
        inside = np.where(np.isfinite(point), point, self.target.min() + np.log(random.uniform(0.05, 0.8)))
        return inside + spread * random.standard_normal(len(point))

    def afar(self, random):
        """Return a point that knows no minimum: any floor, any exponents, the median loss at the centre."""
        point = np.log(random.uniform(0.05, 1.2, len(self.names)))
        floor = random.uniform(0.05, 0.97) * np.exp(self.target.min())
        rest = np.exp(np.median(self.target)) - floor
        is_floor = self.exponent < 0
        point[self.amplitude] = np.log(np.where(is_floor, floor, rest / max(np.sum(~is_floor), 1)))
        return point

    def _moved(self, point, exponents):
        moved = point.copy()
        for amplitude, exponent, centre in zip(self.amplitude, self.exponent, self.centre, strict=True):
            if exponent >= 0:
                moved[amplitude] += exponents[exponent] * centre
        return moved

    def _residuals(self, point):
        """Return residuals (n,), the terms' shares of the prediction and their logs' slopes in ln exponent, (k, n)."""
        power = np.where(self.exponent >= 0, np.exp(point[self.exponent]), 0.0)
        bent = -power[:, None] * self.column
        terms = point[self.amplitude][:, None] + bent
        top = terms.max(axis=0)
        share = np.exp(terms - top)
        total = share.sum(axis=0)
        return top + np.log(total) - self.target, share / total, bent

    def _slopes(self, share, bent):
        """Return the derivatives (n, p) of ln(prediction)."""
        slopes = np.zeros((len(self.target), len(self.names)))
        for a, e, part, bend in zip(self.amplitude, self.exponent, share, bent, strict=True):
            slopes[:, a] += part
            if e >= 0:
                slopes[:, e] += part * bend
        return slopes
