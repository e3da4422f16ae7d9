"""What a caption states: the law and its objective, the rows, and how the bands of a figure were made."""

from __future__ import annotations

from collections.abc import Sequence

from jaxscale.figures.symbols import equation, literal, source_name, symbol
from jaxscale.intervals import Band
from jaxscale.results import Ensemble, Fit

NO_BAND = "no bands: the fit was not bootstrapped"
NO_USABLE = "no bands: none of the {total:,} replicates is usable"
BAND = "{level:g} % {method} bands from {used:,} of {total:,} replicates"
NOT_A_MINIMUM = "the fit is not a minimum of its objective ({status})"


def caption(fit: Fit, notes: Sequence[str]) -> str:
    """Return the statements about a fit, then the notes, which must be safe to draw, separated by dots."""
    return " · ".join([*_fitted(fit), *notes])


def banded(band: Band | None, ensemble: Ensemble | None) -> str:
    """Return the statement about a figure's bands: level, method, replicates used of those drawn, scheme and seed.

    band: any of the figure's bands, None without an ensemble.   ensemble: None where scheme and seed are not known.
    """
    if band is None:
        return NO_BAND
    if band.n_used == 0:
        return NO_USABLE.format(total=band.n_total)
    text = BAND.format(level=100.0 * band.level, method=literal(band.method), used=band.n_used, total=band.n_total)
    return text if ensemble is None else f"{text} (scheme {literal(ensemble.scheme.name)}, seed {ensemble.seed})"


def table_rows(fit: Fit) -> str:
    """Return the statement about the table and its rows."""
    origin = fit.runs.origin
    return f"{len(fit.runs):,} of {origin.rows:,} rows of {source_name(origin.source)}"


def _fitted(fit: Fit) -> list[str]:
    law, objective = fit.law, fit.objective
    stated_law = f", {equation(law.equation)}" if law.equation else ""
    delta = "" if objective.delta is None else f", δ = {objective.delta:g}"
    if objective.dof is not None:
        delta = f", ν = {objective.dof:g}, s = {objective.scale:.3g}"
    stated = [
        f"law {literal(law.name)}{stated_law}",
        f"objective {literal(objective.name)}, {objective.space} space{delta}",
        table_rows(fit),
    ]
    if fit.fixed:
        stated.append("fixed: " + ", ".join(f"{symbol(name)} = {fit.coefs[name]:.4g}" for name in fit.fixed))
    return stated if fit.is_usable else [*stated, NOT_A_MINIMUM.format(status=fit.status)]
