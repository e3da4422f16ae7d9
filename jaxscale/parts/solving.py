"""One part solved, here or in another process: a pure function of a fit, its survey and a range of replicates."""

from __future__ import annotations

import hashlib
import os
import platform
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jaxscale import precision
from jaxscale.engine import placement, tracing
from jaxscale.engine.compiling import Clock
from jaxscale.laws import LAWS, ExpressionLoss, Law
from jaxscale.laws.grouped import core_of
from jaxscale.objectives import OBJECTIVES, Objective
from jaxscale.provenance import Provenance
from jaxscale.refitting import Survey
from jaxscale.refitting.refit import refit_of
from jaxscale.refitting.setup import Setup, setup_of
from jaxscale.resampling import SCHEMES, Scheme
from jaxscale.results import Fit
from jaxscale.stages import SILENT, Stages
from jaxscale.store.parts import record_of
from jaxscale.store.surveys import fit_bytes, fit_of, surveyed_of

KEPT = 4
"""Studies whose set-up a worker keeps."""


class Answer(NamedTuple):
    """What a worker gives back of one part.

    record: of `store.parts`, None where the versions differ from those asked for.   versions: the worker's own.
    worker: its machine and process.   seconds: that it took.
    """

    record: np.ndarray | None
    backend: str
    versions: Mapping[str, str]
    worker: str
    seconds: float


@dataclass(frozen=True)
class Bench:
    """A fit and its survey set up on a device, for any range of its replicates."""

    fit: Fit
    survey: Survey
    covariance: bool
    device: str
    setup: Setup
    clock: Clock = field(default_factory=Clock)

    @classmethod
    def of(cls, fit: Fit, survey: Survey, *, covariance: bool, device: str) -> Bench:
        """Return the bench; raises as `js.bootstrap` does."""
        clock = Clock()
        with precision.float64(), placement.on(device):
            setup = setup_of(fit, survey.scheme, survey.seed, survey.chunk, clock)
        return cls(fit, survey, covariance, device, setup, clock)

    def solved(self, rows: range, told: Stages = SILENT) -> Answer:
        """Return the answer of replicates, the same to the bit in whatever ranges they are asked for."""
        began = time.perf_counter()
        with precision.float64(), placement.on(self.device):
            replicate = np.arange(rows.start, rows.stop)
            refits = refit_of(self.setup, self.survey, replicate, self.clock, told, covariance=self.covariance)
        worker, seconds = f"{platform.node()}:{os.getpid()}", time.perf_counter() - began
        return Answer(record_of(self.fit, refits), refits.backend, versions(), worker, seconds)


@dataclass(frozen=True)
class Description:
    """A study as another process is told of it, without a folder: bytes, and the user's own specifications.

    own: laws, objectives and schemes that do not ship, which are pickled by the names of their functions.   traces: the
    folder of kept traces that a worker on the same machine shares; "" for none.
    """

    digest: str
    fit: bytes
    survey: bytes
    own: Mapping[type, tuple]
    covariance: bool
    device: str
    versions: Mapping[str, str]
    traces: str = ""

    @classmethod
    def of(cls, fit: Fit, scheme: Scheme, survey: bytes, *, covariance: bool, device: str) -> Description:
        """Return the description of a study.   survey: the bytes of its file."""
        told = fit_bytes(fit)
        digest = hashlib.sha256(told + survey + f"{covariance} {device}".encode()).hexdigest()
        return cls(digest, told, survey, own_of(fit.law, fit.objective, scheme), covariance, device, versions())


def solve_part(description: Description, start: int, stop: int) -> Answer:
    """Return the answer of replicates start … stop - 1, in any process that has this package.

    A worker with other versions of jaxscale or jax answers with these, and solves nothing.
    """
    if versions() != description.versions:
        return Answer(None, "", versions(), f"{platform.node()}:{os.getpid()}", 0.0)
    if description.traces:
        tracing.keep_in(Path(description.traces))
    return _bench(_Keyed(description.digest, description)).solved(range(start, stop))


def versions() -> dict[str, str]:
    """Return the versions that decide the bits of a replicate."""
    made = Provenance.of("", 0.0, 0.0, 0)
    return {"jaxscale": made.jaxscale, "jax": made.jax}


def own_of(law: Law, objective: Objective, scheme: Scheme) -> dict[type, tuple]:
    """Return the law, the objective and the scheme where they do not ship, by kind; one that was typed is text."""
    law = core_of(law)
    is_known = law in tuple(LAWS) or isinstance(law.loss, ExpressionLoss)
    return {
        Law: () if is_known else (law,),
        Objective: () if objective.name in OBJECTIVES.names else (objective,),
        Scheme: () if scheme in tuple(SCHEMES) else (scheme,),
    }


@dataclass(frozen=True)
class _Keyed:
    """A description that is equal to another by its digest."""

    digest: str
    description: Description = field(compare=False)


@lru_cache(maxsize=KEPT)
def _bench(keyed: _Keyed) -> Bench:
    one = keyed.description
    fit = fit_of(one.fit, one.own)
    survey = surveyed_of(one.survey, fit, one.own, "the survey that a worker was sent").survey
    return Bench.of(fit, survey, covariance=one.covariance, device=one.device)
