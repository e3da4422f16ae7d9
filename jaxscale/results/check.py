"""Which phase of scaling a series of runs shows, and how far one may go on from it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from jaxscale.finding import Finding
from jaxscale.results.diagnosis import ResidualTest
from jaxscale.results.result import Result
from jaxscale.runs import Runs

if TYPE_CHECKING:
    import pandas as pd

PhaseName: TypeAlias = Literal["cold start", "scaling", "plateau", "undetermined"]


@dataclass(frozen=True)
class LocalExponents:
    """Local exponents -d ln loss / d ln x of k windows along a series.

    Attributes
    ----------
    x
        (k,) geometric mean of each window.
    first, last
        (k,) the ends of each window.
    exponent, low, high
        (k,) the least-squares slope and its limits, at 95 % for all windows together.
    """

    x: np.ndarray
    first: np.ndarray
    last: np.ndarray
    exponent: np.ndarray
    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True)
class Break:
    """A point at which the exponent changes, and the test of whether it does.

    Attributes
    ----------
    x, low, high
        Where it lies, with limits at 95 % by the likelihood.
    before, after
        Exponents on its sides.
    chance
        Chance of so large an improvement under the best smooth form, simulated.
    is_found
        Whether the chance is below 1 %.
    """

    x: float
    low: float
    high: float
    before: float
    after: float
    chance: float
    is_found: bool


@dataclass(frozen=True)
class Offset:
    """The pure power law against one with a floor, by least squares on ln loss.

    Attributes
    ----------
    exponent
        Of the pure power law A x^-b.
    floor, floor_high
        E of E + A x^-b and its upper limit at 95 %.
    exponent_above
        b of E + A x^-b.
    chance
        Of so large an improvement by the floor under the pure power law, simulated.
    is_found
        Whether the chance is below 1 %.
    """

    exponent: float
    floor: float
    floor_high: float
    exponent_above: float
    chance: float
    is_found: bool


@dataclass(frozen=True)
class Phase:
    """A stretch of a series: its name, and its ends in the units of x."""

    name: PhaseName
    first: float
    last: float


@dataclass(frozen=True)
class Series:
    """The check of one series of runs.

    Attributes
    ----------
    name
        Its group; empty where the table has none.
    along
        The input along which it runs.
    x, loss
        (n,) of the runs that were looked at, by rising x.
    rows
        (n,) as in `Runs.row`.
    phase
        At its upper end, from where one extrapolates.
    phases
        Along it, in order.
    is_go
        Whether one may extrapolate.
    reach
        Up to which multiple of the largest x, at which the forms that the runs leave open differ by the tolerance; 1
        where one may not.
    reason
        Of the verdict, in words.
    noise
        Standard deviation of ln loss about the best form.
    exponents, offset, breakpoint
        The evidence; None where there are too few runs for it.
    spread
        Whether the size of the noise changes along it; None likewise.
    """

    name: str
    along: str
    x: np.ndarray
    loss: np.ndarray
    rows: np.ndarray
    phase: PhaseName
    phases: tuple[Phase, ...]
    is_go: bool
    reach: float
    reason: str
    noise: float = math.nan
    exponents: LocalExponents | None = None
    offset: Offset | None = None
    breakpoint: Break | None = None
    spread: ResidualTest | None = None


@dataclass(frozen=True)
class Check(Result):
    """Which phase of scaling each series of a table shows; made by `js.check`.

    Attributes
    ----------
    runs
        The table.
    series
        One a group, or one.
    tolerance
        Relative difference of predicted losses that limits `Series.reach`.
    seed
        Of the simulated tests.
    findings
        Those of the table, and one a code for series that are not to be extrapolated.

    Examples
    --------
    >>> found = js.check(runs)
    >>> print(found.series[0].phase, found.is_go)
    scaling True
    """

    runs: Runs
    series: tuple[Series, ...]
    tolerance: float
    seed: int
    findings: tuple[Finding, ...]

    def __repr__(self) -> str:
        phases = ", ".join(f"{one.name or one.along} {one.phase}" for one in self.series[:4])
        more = f" and {len(self.series) - 4} more" if len(self.series) > 4 else ""
        return f"<Check of {len(self.runs)} runs: {phases}{more}; {'go' if self.is_go else 'no-go'}>"

    @property
    def is_go(self) -> bool:
        """Whether every series may be extrapolated."""
        return all(one.is_go for one in self.series)

    @property
    def is_determined(self) -> bool:
        """Whether at least one series shows a phase."""
        return any(one.phase != "undetermined" for one in self.series)

    def to_frame(self) -> pd.DataFrame:
        """Return one row per series: phase, verdict, reach, exponents, floor and break."""
        import pandas as pd

        rows = []
        for one in self.series:
            row: dict[str, object] = {"series": one.name, "along": one.along, "runs": len(one.x), "phase": one.phase}
            row |= {"is_go": one.is_go, "reach": one.reach, "noise": one.noise, "reason": one.reason}
            row["exponent"] = math.nan if one.offset is None else one.offset.exponent
            row["floor"] = one.offset.floor if one.offset is not None and one.offset.is_found else math.nan
            has_break = one.breakpoint is not None and one.breakpoint.is_found
            row["break_at"] = one.breakpoint.x if one.breakpoint is not None and has_break else math.nan
            rows.append(row)
        return pd.DataFrame(rows)
