"""What a run would tell about a target: a linear model of candidates and targets in a few standard normal unknowns.

A candidate's loss is f z + noise and a target is g z, with z standard normal before any purchase. Every criterion is
then one of two functions of the covariance of z: what is left of the variance of the targets, or its determinant.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

LIFT = 1e-9
"""Of a covariance, relative to its diagonal, so that it has a root."""


class Factors(NamedTuple):
    """K linear models, each as likely as another.

    candidate: (K, n, r).   target: (K, m, r), or (K, 0, r) for the determinant.   noise: (K, n), variances > 0.
    rest: what of the criterion no run can take away.
    """

    candidate: np.ndarray
    target: np.ndarray
    noise: np.ndarray
    rest: float = 0.0

    @property
    def is_determinant(self) -> bool:
        """Whether the criterion is the logarithm of the determinant of the covariance of z, and not a variance."""
        return self.target.shape[1] == 0

    def start(self) -> np.ndarray:
        """Return the covariance (K, r, r) of z before any purchase."""
        models, _, size = self.candidate.shape
        return np.broadcast_to(np.eye(size), (models, size, size)).copy()

    def criterion(self, covariance: np.ndarray) -> float:
        """Return the criterion, the less the better, for a covariance of z (K, r, r)."""
        if self.is_determinant:
            return float(np.mean(np.linalg.slogdet(covariance)[1]))
        return float(np.sum((self.target @ covariance) * self.target)) / len(self.target) + self.rest

    def falls(self, covariance: np.ndarray, places: np.ndarray | None = None) -> np.ndarray:
        """Return by how much each candidate (n,), or each of some, would lower the criterion."""
        some, noise = (
            (self.candidate, self.noise) if places is None else (self.candidate[:, places], self.noise[:, places])
        )
        toward = some @ covariance
        own = np.einsum("knr,knr->kn", toward, some)
        if self.is_determinant:
            return np.asarray(np.mean(np.log1p(np.maximum(own, 0.0) / noise), axis=0))
        shared = toward @ np.swapaxes(self.target, 1, 2)
        return np.asarray(np.mean(np.sum(shared**2, axis=2) / (noise + np.maximum(own, 0.0)), axis=0))

    def rises(self, covariance: np.ndarray, places: Sequence[int]) -> np.ndarray:
        """Return by how much the criterion would rise without each of the candidates that are bought."""
        some, noise = self.candidate[:, list(places)], self.noise[:, list(places)]
        toward = some @ covariance
        left = np.maximum(noise - np.sum(toward * some, axis=2), 1e-12 * noise)
        if self.is_determinant:
            return np.asarray(np.mean(np.log(noise / left), axis=0))
        return np.asarray(np.mean(np.sum((toward @ np.swapaxes(self.target, 1, 2)) ** 2, axis=2) / left, axis=0))

    def observed(self, covariance: np.ndarray, place: int) -> np.ndarray:
        """Return the covariance (K, r, r) of z after a candidate."""
        along = np.einsum("krs,ks->kr", covariance, self.candidate[:, place])
        total = self.noise[:, place] + np.einsum("kr,kr->k", along, self.candidate[:, place])
        return covariance - along[:, :, None] * along[:, None, :] / total[:, None, None]

    def removed(self, covariance: np.ndarray, place: int) -> np.ndarray:
        """Return the covariance (K, r, r) of z without a candidate that was bought."""
        along = np.einsum("krs,ks->kr", covariance, self.candidate[:, place])
        total = self.noise[:, place] - np.einsum("kr,kr->k", along, self.candidate[:, place])
        left = np.maximum(total, 1e-12 * self.noise[:, place])
        return covariance + along[:, :, None] * along[:, None, :] / left[:, None, None]

    def after(self, places: Sequence[int]) -> np.ndarray:
        """Return the covariance (K, r, r) of z after candidates, in any order."""
        rows, noise = self.candidate[:, list(places)], self.noise[:, list(places)]
        information = np.swapaxes(rows, 1, 2) @ (rows / noise[:, :, None])
        return np.linalg.inv(self.start() + information)


def linearised(candidates: np.ndarray, targets: np.ndarray, covariance: np.ndarray, noise: float) -> Factors:
    """Return the models of K points, by the delta method.

    candidates: (K, n, p), d ln loss / d theta.   targets: (K, m, p).   covariance: (p, p) or (K, p, p), of theta.
    """
    root = np.linalg.cholesky(np.broadcast_to(_lifted(covariance), (len(candidates), *covariance.shape[-2:])))
    variance = np.full(candidates.shape[:2], noise**2)
    return Factors(candidates @ root, targets @ root, variance)


def regressed(candidates: np.ndarray, targets: np.ndarray, thetas: np.ndarray, noise: float) -> Factors:
    """Return the one model that draws of theta (S, p) show, by regression on them.

    candidates: (S, n), ln losses of the draws.   targets: (S, m).   What is not linear in theta counts as noise of a
    candidate, and as variance of a target that stays.   Source: statistical linearisation, Särkkä 2013, §5.
    """
    covariance = np.cov(thetas, rowvar=False).reshape(thetas.shape[1], -1)
    root = np.linalg.cholesky(_lifted(covariance))
    unknown = np.linalg.solve(root, (thetas - thetas.mean(axis=0)).T).T
    design = np.concatenate([np.ones((len(thetas), 1)), unknown], axis=1)
    spare = max(len(thetas) - design.shape[1], 1)

    def of(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        solved, *_ = np.linalg.lstsq(design, values, rcond=None)
        return solved[1:].T, np.sum((values - design @ solved) ** 2, axis=0) / spare

    candidate, more = of(candidates)
    target, rest = of(targets)
    return Factors(candidate[None], target[None], (noise**2 + more)[None], float(rest.sum()))


def _lifted(covariance: np.ndarray) -> np.ndarray:
    diagonal = np.einsum("...ii->...i", covariance)
    return covariance + LIFT * diagonal[..., None] * np.eye(covariance.shape[-1])
