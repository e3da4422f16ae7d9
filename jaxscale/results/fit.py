"""A fitted law: the coefs, what they cost, and how far they can be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from jaxscale.finding import Finding
from jaxscale.intervals.band import check_level
from jaxscale.intervals.student import quantile
from jaxscale.provenance import Provenance
from jaxscale.registry import check_known
from jaxscale.results.minimum import Certificate, Joint
from jaxscale.results.result import Result
from jaxscale.runs import Runs
from jaxscale.status import Status
from jaxscale.text import counted

if TYPE_CHECKING:
    import pandas as pd

    from jaxscale.laws import Law
    from jaxscale.objectives import Objective

ON_DOF = "± is one standard error on {dof}: 95 % lies within {reach:.3g} of them"


@dataclass(frozen=True)
class Fit(Result):
    """One law fitted to one table.

    Attributes
    ----------
    law, objective, runs
        What was fitted, and to which table.
    coefs
        Name → value, in the law's order; one at the edge of its support is that edge, exactly.
    value
        The sum over rows of weight · rho.
    status
        How the minimisation ended.
    certificate
        What was checked after the fact.
    std
        Standard errors per coef (classical for `squared`, sandwich otherwise), None where there is no justified one;
        they are estimates on `dof` degrees of freedom, for which `interval` allows.
    residuals
        (n,) in the objective's space.
    fixed
        Coefs that were not fitted.
    solver
        The name of the method that minimised.
    findings
        Everything worth knowing, the table's findings included.
    provenance
        Versions, backend and seconds.
    unidentified
        Coefs that the runs do not determine; their values are one choice among many that fit as well.
    common
        Where this is one group's part of a fit over several, the fitted coefs that it shares with the others.
    held
        Coefs that were held at the bound where the minimum lies, if it lies at one.
    joint
        The constants that several coefs without a value are together at a bound.
    covariance
        (p, p) of the coefs, in the law's order, whose roots on the diagonal are `std`: zero for coefs that are fixed or
        held, NaN for those without a standard error; None where there is none at all.
    robust
        Covariances as `covariance` that hold where errors differ in size: `rows`, for independent rows, and `groups`,
        for independent groups, where the table has these; none where there is no covariance.

    Examples
    --------
    >>> fit
    <Fit pure-power-params: converged, 30 runs, A=31.07, alpha=0.122>
    """

    law: Law
    objective: Objective
    runs: Runs
    coefs: Mapping[str, float]
    value: float
    status: Status
    certificate: Certificate
    std: Mapping[str, float | None]
    residuals: np.ndarray
    fixed: tuple[str, ...]
    solver: str
    findings: tuple[Finding, ...]
    provenance: Provenance
    unidentified: tuple[str, ...] = ()
    common: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    joint: tuple[Joint, ...] = ()
    covariance: np.ndarray | None = None
    robust: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "law", self.law.holding(self.fixed))

    def __repr__(self) -> str:
        coefs = ", ".join(f"{name}={coef:.4g}" for name, coef in self.coefs.items())
        return f"<Fit {self.law.name}: {self.status}, {len(self.runs)} runs, {coefs}>"

    @property
    def free(self) -> tuple[str, ...]:
        """The coefs that were fitted."""
        return tuple(name for name in self.coefs if name not in self.fixed)

    @property
    def at_bound(self) -> tuple[str, ...]:
        """The fitted coefs whose value is the edge of their support, as that of E is at 0."""
        ends = dict(zip(self.law.names, self.law.supports, strict=True))
        has_value = [name for name in self.free if name not in self.unidentified]
        return tuple(name for name in has_value if self.coefs[name] in (ends[name].low, ends[name].high))

    @property
    def dof(self) -> int:
        """The degrees of freedom that are left: runs that count, less the coefs that these had to determine.

        Not among these are coefs that lie on an edge, and of one group's part those that it shares.
        """
        return int(np.sum(self.runs.weight > 0)) - sum(name not in (*self.common, *self.held) for name in self.free)

    def dof_of(self, name: str) -> int:
        """Return the degrees of freedom behind a coef: for a group's own no more than the group's runs leave.

        Parameters
        ----------
        name
            The coef.

        Returns
        -------
        int
            `dof`, or fewer.

        Raises
        ------
        UsageError
            For an unknown coef.
        """
        check_known("coef", name, self.coefs)
        group = name.partition("[")[2].removesuffix("]")
        if not group or self.runs.group is None:
            return self.dof
        own = sum(one.endswith(f"[{group}]") and one not in self.held for one in self.free)
        return min(self.dof, int(np.sum((self.runs.group == group) & (self.runs.weight > 0))) - own)

    def interval(self, name: str, level: float = 0.95) -> tuple[float, float] | None:
        """Return the limits of a coef by its standard error and Student's quantile on `dof_of` degrees of freedom.

        They lie symmetrically on the real line where the coef was fitted, so that a positive one stays positive.

        Parameters
        ----------
        name
            The coef.
        level
            Nominal coverage of the interval, above 0 and below 1.

        Returns
        -------
        tuple of float, or None
            The lower and the upper limit; None where the coef has no standard error.

        Raises
        ------
        UsageError
            For an unknown coef or a level outside (0, 1).

        Examples
        --------
        >>> low, high = fit.interval("alpha")
        >>> print(f"{low:.3f} to {high:.3f}")
        0.118 to 0.126
        """
        check_level(level)
        check_known("coef", name, self.coefs)
        error = self.std.get(name)
        if error is None:
            return None
        support = self.law.supports[self.law.names.index(name)]
        coef = np.asarray(self.coefs[name])
        reach = quantile(level, self.dof_of(name)) * error / float(np.abs(support.slope(coef)))
        with np.errstate(over="ignore"):
            low, high = (float(support.to_coef(support.to_real(coef) + side * reach)) for side in (-1.0, 1.0))
        return low, high

    @property
    def is_usable(self) -> bool:
        """Whether the fit is a minimum of its own objective."""
        return self.status.is_usable

    def summary(self) -> str:
        """Return the fit in a few lines of plain text."""
        lines = [f"{self.law.name}: {self.status} on {len(self.runs)} of {self.runs.origin.rows} rows"]
        width = max(8, *map(len, self.coefs))
        for name, coef in self.coefs.items():
            lines.append(f"  {name:<{width}} {coef:.6g}{self._note(name)}")
        checked = self.certificate
        lines.append(
            f"  {self.objective.name} {self.value:.10g} · scaled gradient {checked.scaled_gradient:.1e} · "
            f"{checked.agreeing_starts} of {checked.starts} starts agree"
        )
        if any(error is not None for error in self.std.values()):
            lines.append(f"  {ON_DOF.format(**spread_on(self.dof))}")
        return "\n".join(lines)

    def to_frame(self, *, level: float = 0.95) -> pd.DataFrame:
        """Return one row per coef: value, std, the limits low and high of `interval`, and what it is.

        Parameters
        ----------
        level
            As in `interval`.

        Returns
        -------
        DataFrame
            NaN stands for a standard error or an interval that there is not. state: fitted, fixed, not identified (its
            value is one choice among many), at bound.

        Raises
        ------
        UsageError
            For a level outside (0, 1).

        Examples
        --------
        >>> fit.to_frame().columns.tolist()
        ['value', 'std', 'low', 'high', 'state']
        """
        import pandas as pd

        limits = [self.interval(name, level) or (np.nan, np.nan) for name in self.coefs]
        columns = {
            "value": list(self.coefs.values()),
            "std": [np.nan if self.std.get(name) is None else self.std[name] for name in self.coefs],
            "low": [low for low, _ in limits],
            "high": [high for _, high in limits],
        }
        frame = pd.DataFrame(columns, index=pd.Index(list(self.coefs), name="coef"), dtype=float)
        return frame.assign(state=[self.state(name) or "fitted" for name in self.coefs])

    def state(self, name: str) -> str:
        """Return in words what is special about a coef.

        Parameters
        ----------
        name
            The coef.

        Returns
        -------
        str
            fixed, not identified or at bound; empty for any other.
        """
        marks = {"fixed": self.fixed, "not identified": self.unidentified, "at bound": self.at_bound}
        return next((mark for mark, names in marks.items() if name in names), "")

    def _note(self, name: str) -> str:
        error, state = self.std.get(name), self.state(name)
        return f" ({state})" if state else "" if error is None else f" ± {error:.2g}"


def spread_on(dof: int) -> dict[str, str | float]:
    """Return for messages how many degrees of freedom these are, and in how many standard errors 95 % then lie."""
    return {"dof": counted(dof, "degree of freedom", "degrees of freedom"), "reach": quantile(0.95, dof)}
