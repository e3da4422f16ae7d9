"""Parts in memory put together to an ensemble, whole or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from jaxscale.engine.compiling import Clock
from jaxscale.errors import UsageError
from jaxscale.parts.solving import Answer
from jaxscale.refitting import Refits, gather
from jaxscale.results import Ensemble, Fit
from jaxscale.store.surveys import Surveyed

NOTHING_YET = "no part was finished in the time given, and nothing is kept in memory: give more seconds, or a folder"


def gathered(fit: Fit, surveyed: Surveyed, solved: Sequence[tuple[range, Answer]]) -> Ensemble:
    """Return the ensemble of parts, in the order of their replicates; raise UsageError where there are none.

    Where replicates between them are missing, `replicate` says which are there.
    """
    if not solved:
        raise UsageError(NOTHING_YET)
    rows = np.concatenate([np.arange(part.start, part.stop) for part, _ in solved])
    is_whole, clock, parts, first = np.array_equal(rows, np.arange(len(rows))), Clock(), [], 0
    for part, answer in solved:
        assert answer.record is not None  # refused before
        one, names = answer.record[0], answer.record.dtype.names or ()
        parts.append(
            Refits(
                replicate=np.arange(first, first + len(part)),
                coefs=one["coefs"].T,
                value=one["value"],
                status=one["status"],
                steps=one["steps"],
                is_open=one["is_open"].T,
                backend=answer.backend,
                clock=clock,
                covariance=one["covariance"] if "covariance" in names else None,
            )
        )
        first += len(part)
    made = gather(fit, surveyed.survey, parts)
    made = replace(made, jackknife=surveyed.jackknife, nested=surveyed.nested, profile=surveyed.profile)
    return made if is_whole else replace(made, replicate=rows)
