"""What a contestant is given, what it gives back, and how it is announced."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    import jaxscale as js

DELTA = 1e-3  # Hoffmann et al. 2022, appendix D.2: the Huber scale of the log residuals


@dataclass(frozen=True, eq=False)
class Study:
    """R resampled tables of n runs and the point fit that every contestant but the published one starts from.

    params, tokens, loss: (n,), counts and nats per token.   weights: (R, n), how often each run was drawn.
    theta: (5,), log A, log B, log E, alpha, beta of the point fit, in that order everywhere in this folder.
    candidates: (K, 5), minima of other replicates, in the same order of coefs; those at a bound left out.
    lanes: replicates per batch, for contestants that batch.   fits, seed: what jaxscale needs to draw the same tables,
    one point fit per way to write the law.
    """

    params: np.ndarray
    tokens: np.ndarray
    loss: np.ndarray
    weights: np.ndarray
    theta: np.ndarray
    candidates: np.ndarray
    lanes: int
    fits: Mapping[str, js.Fit]
    seed: int

    @property
    def replicates(self) -> int:
        """R."""
        return len(self.weights)

    def first(self, replicates: int) -> Study:
        """Return the study of the first so many tables, or of all where there are fewer."""
        return replace(self, weights=self.weights[:replicates])


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a contestant claims: theta (R, 5), the objective there (R,), and how many replicates it calls failed.

    compile_seconds: what its own clock calls compiling, the point fit's included; None where it has no such clock.
    """

    theta: np.ndarray
    value: np.ndarray
    failed: int
    compile_seconds: float | None = None


def _present() -> None:
    return None


@dataclass(frozen=True)
class Rival:
    """One way to bootstrap, under the name of its row in the table.

    kind: `serial` solves one replicate after another; `batched` solves `Study.lanes` at a time with a program compiled
    for that shape; `whole` solves all of them in one such batch; `native` hands all of them to a compiled library;
    `own` is jaxscale, which draws the tables itself and cuts its own batches.
    absent: says why this machine cannot run it, None where it can.
    """

    name: str
    about: str
    kind: Literal["serial", "batched", "whole", "native", "own"]
    solve: Callable[[Study], Outcome]
    absent: Callable[[], str | None] = _present
