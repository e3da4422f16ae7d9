"""One law fitted to one table under several conventions of counting, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from jaxscale.counting import Convention
from jaxscale.finding import Finding
from jaxscale.results.fit import Fit
from jaxscale.results.frontier import Frontier


@dataclass(frozen=True)
class Count:
    """A fit under one convention.

    Attributes
    ----------
    convention
        The way to count.
    fit
        Under it.
    changed
        The law's inputs whose numbers it changed, against the table as it stands.
    same_as
        The name of the convention before it that leaves the same inputs, and so has the same fit; None where it is a
        fit of its own.
    frontier
        Of the point fit, at the budgets asked for, in the convention's own FLOP, params and tokens; None where none
        were asked for, for a fit that is no minimum and for a law without one.
    exponent
        a of N_opt ∝ C^a, the mean slope in logs over the measured compute; None where there is no split at its ends.
    """

    convention: Convention
    fit: Fit
    changed: tuple[str, ...]
    same_as: str | None
    frontier: Frontier | None
    exponent: float | None

    def own_findings(self, first: Count) -> tuple[Finding, ...]:
        """Return the findings of the fit whose codes the fit of another count has not.

        Parameters
        ----------
        first
            The other count.

        Returns
        -------
        tuple of Finding
            In the order of the fit's.
        """
        known = {finding.code for finding in first.fit.findings}
        return tuple(finding for finding in self.fit.findings if finding.code not in known)


@dataclass(frozen=True)
class Counts:
    """Fits under several conventions, in the order asked for, the table as it stands first.

    Attributes
    ----------
    counts
        One for each convention.
    left_out
        The name of each convention that the table does not allow, and why; filled where all were asked for.
    """

    counts: tuple[Count, ...]
    left_out: Mapping[str, str]

    def __getitem__(self, name: str) -> Count:
        """Return the count of a convention by name; raise KeyError where it was not asked for."""
        return {one.convention.name: one for one in self.counts}[name]

    def __len__(self) -> int:
        return len(self.counts)
