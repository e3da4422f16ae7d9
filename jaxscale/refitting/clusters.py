"""Whether the groups of a table can be drawn as clusters."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from jaxscale.errors import RunsError, UsageError
from jaxscale.finding import Finding
from jaxscale.resampling import Scheme, clusters_of
from jaxscale.runs import Runs
from jaxscale.runs.repeats import LEAST_CLUSTERS
from jaxscale.text import counted, shown_name

FOLLOWED = ("repeated-seeds", "trajectory-rows")
"""Codes of the findings whose advice is to draw whole groups."""

NO_GROUPS = "the scheme '{scheme}' draws groups of rows: say which column names them, --group COLUMN"
OWN_COEFS = (
    "the scheme '{scheme}' draws whole groups, and here each group has coefs of its own, which the others do not tell"
)
TOO_FEW = "{source}: {groups} for the scheme '{scheme}', which needs {least}; without groups single rows are drawn"


def check_clusters(runs: Runs, scheme: Scheme, *, has_own: bool) -> None:
    """Raise UsageError or RunsError unless a scheme that draws groups has enough of them; others need none.

    has_own: whether a law is fitted in which each group has coefs of its own.
    """
    if not scheme.has_groups:
        return
    if runs.group is None:
        raise UsageError(NO_GROUPS.format(scheme=scheme.name))
    if has_own:
        raise UsageError(OWN_COEFS.format(scheme=scheme.name))
    count = len(np.unique(clusters_of(runs.group, len(runs))[runs.weight > 0]))
    if count < LEAST_CLUSTERS:
        groups, source = counted(count, "group"), shown_name(runs.origin.source)
        raise RunsError(TOO_FEW.format(source=source, groups=groups, scheme=scheme.name, least=LEAST_CLUSTERS))


def still_open(findings: Iterable[Finding], scheme: Scheme) -> tuple[Finding, ...]:
    """Return the findings without those whose advice is followed where the scheme draws whole groups."""
    return tuple(one for one in findings if not (scheme.has_groups and one.code in FOLLOWED))
