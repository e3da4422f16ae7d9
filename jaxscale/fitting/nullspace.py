"""Directions in which coefs may move without a change of any prediction, found by rank, and put in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from jaxscale.laws import Coef
from jaxscale.solvers.verdict import INSENSITIVE

RANK = 1e-9
"""Smallest singular value of the Jacobian in unit columns, relative to the largest, that counts as a direction: exact
deficiency shows as 1e-15, the worst identified design met so far as 1e-5."""
TAKES_PART = 1e-3
"""Component of a direction without effect from which a coef is part of it."""
NEGLIGIBLE = 0.005
"""Component of a unit direction that is not worth writing."""
ON_THE_LINE = {"positive": "ln {name}", "unit": "logit {name}"}
"""What a coef is on the real line, where it is not itself."""


class NullSpace(NamedTuple):
    """What a Jacobian leaves open: its rank of `size`, its condition number, the directions without effect in words,
    and the coefs that take part in them. A coef at the edge of its support counts as settled.
    """

    rank: int
    size: int
    condition: float
    directions: tuple[str, ...]
    coefs: tuple[str, ...]


def null_space_of(jacobian: np.ndarray, bounded: np.ndarray, value: float, coefs: Sequence[Coef]) -> NullSpace:
    """Return the gaps of a weighted Jacobian (n, p), columns in the order of the coefs.

    The Hessian cannot say: its eigenvalues are the squares, and along a curved valley the remaining gradient fills in
    for a missing one. A coef at the edge of its support has hardly a column left and is judged elsewhere; of one
    whose column is nothing at all no run has anything to say, and no edge is known.
    """
    size = jacobian.shape[1]
    length = np.linalg.norm(jacobian, axis=0)
    if not np.isfinite(length).all():
        return NullSpace(0, size, np.inf, (), tuple(coef.name for coef in coefs))
    is_left = ~(bounded & (length**2 <= INSENSITIVE * value)) | (jacobian == 0.0).all(axis=0)
    kept = [coef for coef, is_kept in zip(coefs, is_left, strict=True) if is_kept]
    if not kept:
        return NullSpace(size, size, 1.0, (), ())
    unit = jacobian[:, is_left] / np.where(length > 0, length, 1.0)[is_left]
    null, condition = null_space(unit)
    takes_part = np.linalg.norm(null, axis=0) > TAKES_PART
    moves = sparse(null) / np.where(length > 0, length, 1.0)[is_left]
    words = tuple(in_words(move, kept) for move in moves)
    names = tuple(coef.name for coef, is_in in zip(kept, takes_part, strict=True) if is_in)
    return NullSpace(size - len(null), size, condition, words, names)


def null_space(jacobian: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the directions (d, p) that a Jacobian (n, p) takes to nothing, orthonormal, and its condition number."""
    _, values, right = np.linalg.svd(np.linalg.qr(jacobian, mode="r"), full_matrices=True)
    values = np.append(values, np.zeros(jacobian.shape[1] - len(values)))
    condition = values[0] / values[-1] if values[-1] > 0 else np.inf
    return right[values <= RANK * values[0]], float(condition)


def sparse(rows: np.ndarray) -> np.ndarray:
    """Return another basis (d, p) of the same space, by elimination, so that few coefs take part in each direction."""
    basis = rows.copy()
    for k in range(len(basis)):
        at = int(np.argmax(np.abs(basis[k])))
        basis[k] /= basis[k, at]
        for other in range(len(basis)):
            if other != k:
                basis[other] -= basis[other, at] * basis[k]
    return basis


def flattest(hessian: np.ndarray, coefs: Sequence[Coef]) -> str | None:
    """Return in words the direction in which a Hessian (p, p), scaled to a unit diagonal, bends least."""
    scaled = in_unit_diagonal(hessian)
    if scaled is None:
        return None
    move = np.linalg.eigh(scaled)[1][:, 0] * np.diagonal(hessian) ** -0.5
    return in_words(move, coefs)


def in_unit_diagonal(hessian: np.ndarray) -> np.ndarray | None:
    """Return a Hessian (p, p) scaled to a unit diagonal; None where that is not positive and finite."""
    diagonal = np.diagonal(hessian)
    if hessian.size == 0 or not np.isfinite(hessian).all() or (diagonal <= 0).any():
        return None
    unit = diagonal**-0.5  # applied from both sides: a product of two such diagonals may underflow
    scaled: np.ndarray = unit[:, None] * hessian * unit
    return scaled


def in_words(move: np.ndarray, coefs: Sequence[Coef]) -> str:
    """Return "0.71 ln A - 0.70 ln B" for a direction (p,) on the real line, and "A" where it takes one coef only.

    Its largest component is positive.
    """
    shares = move / np.linalg.norm(move)
    shares = shares * np.sign(shares[np.argmax(np.abs(shares))])
    if np.sum(np.abs(shares) >= NEGLIGIBLE) == 1:
        return coefs[int(np.argmax(np.abs(shares)))].name
    words: list[str] = []
    for share, coef in zip(shares, coefs, strict=True):
        if abs(share) >= NEGLIGIBLE:
            sign = "-" if share < 0 else "+" if words else ""
            gap = " " if sign and words else ""
            words.append(
                f"{sign}{gap}{abs(share):.2f} {ON_THE_LINE.get(coef.support, '{name}').format(name=coef.name)}"
            )
    return " ".join(words)
