"""Fewer replicates of a study, drawn by a seed, for what a page draws and carries."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from jaxscale.results import Ensemble, Study

SEED = 0
"""Of the draw of replicates, so that a page is the same whenever it is made."""
DRAWN = 4096
"""Replicates at most behind the curves and figures of a page; its tables rest on all."""


def thinned(ensemble: Ensemble, most: int) -> Ensemble:
    """Return an ensemble of at most so many replicates, drawn without replacement, in their order."""
    if len(ensemble) <= most:
        return ensemble
    kept = np.sort(np.random.default_rng(SEED).choice(len(ensemble), most, replace=False))
    number = kept if ensemble.replicate is None else ensemble.replicate[kept]
    return replace(
        ensemble,
        coefs={name: np.asarray(column)[kept] for name, column in ensemble.coefs.items()},
        value=ensemble.value[kept],
        status=ensemble.status[kept],
        steps=ensemble.steps[kept],
        without={name: is_open[kept] for name, is_open in ensemble.without.items()},
        covariance=None if ensemble.covariance is None else ensemble.covariance[kept],
        replicate=number,
    )


def drawn_study(study: Study) -> Study:
    """Return the study with at most DRAWN replicates; without its frontier where there were more."""
    if study.ensemble is None or len(study.ensemble) <= DRAWN:
        return study
    return replace(study, ensemble=thinned(study.ensemble, DRAWN), frontier=study.frontier and study.frontier.point)


def stated_draws(study: Study) -> str:
    """Return which replicates curves and figures rest on, where these are not all."""
    if study.ensemble is None or len(study.ensemble) <= DRAWN:
        return ""
    return f"Curves and figures rest on {DRAWN:,} of the {len(study.ensemble):,} replicates, drawn with seed {SEED}."
