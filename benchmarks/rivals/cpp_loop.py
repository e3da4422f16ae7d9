"""The floor: the same evaluation in a C++ loop over replicates on all cores, compiled where a compiler is found."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
import time
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from benchmarks.machine import cores
from benchmarks.rivals.frame import Frame, centred, theta_of
from benchmarks.rivals.spec import DELTA, Outcome, Rival, Study

SOURCE = Path(__file__).with_suffix(".cpp")
COMPILERS = {"g++": (), "clang++": ("-fveclib=libmvec",)}
"""Compiler → what it needs besides -ffast-math to take the exponentials of several rows at once."""
OPTIONS = ("-std=c++17", "-O3", "-march=native", "-ffast-math", "-fPIC", "-pthread")
NO_COMPILER = "no C++ compiler on PATH: " + " or ".join(COMPILERS)
REFUSED = "{compiler} failed: {reason}"


def solve(study: Study, *, only_drawn: bool, starts: int = 0) -> Outcome:
    """Fit each resampled table from the point fit with damped Newton steps; one that is given up counts as failed.

    only_drawn: sum over the rows that were drawn; otherwise over all of them, as programs of one shape must.   starts:
    so many of the candidates of jaxscale's survey in place of the point fit, those of the lowest objective.
    """
    frame = centred(study)
    start = cheapest(study, frame, starts) if starts else np.tile(frame.start, (study.replicates, 1, 1))
    inputs = [frame.log_params, frame.log_tokens, frame.log_loss, study.weights]
    weights_and_logs = [np.ascontiguousarray(array, dtype=np.float64) for array in inputs]
    theta, value = np.empty((study.replicates, 5)), np.empty(study.replicates)
    is_done = np.empty(study.replicates, dtype=np.uint8)
    sizes = (ctypes.c_size_t(len(frame.log_loss)), ctypes.c_size_t(study.replicates))
    how = (ctypes.c_double(DELTA), ctypes.c_int(cores()), ctypes.c_int(only_drawn))
    begin = np.ascontiguousarray(start)
    library, seconds = compiled()
    library.refit(
        *map(_pointer, weights_and_logs),
        *sizes,
        _pointer(begin),
        ctypes.c_size_t(start.shape[1]),
        *how,
        *map(_pointer, (theta, value, is_done)),
    )
    found = theta_of(frame, theta - frame.start)
    failed = int(np.count_nonzero(is_done == 0))
    return Outcome(theta=found, value=value, failed=failed, compile_seconds=seconds)


def cheapest(study: Study, frame: Frame, starts: int) -> np.ndarray:
    """Return the candidates (R, starts, 5), centred, at which each replicate's objective is lowest."""
    logs = np.stack([study.params, study.tokens])
    moved = study.candidates.copy()
    moved[:, :2] -= moved[:, 3:] * frame.centre
    a, b, e, alpha, beta = moved.T[:, :, None]
    x, y = np.log(logs) - frame.centre[:, None]
    size = np.abs(np.log(np.exp(a - alpha * x) + np.exp(b - beta * y) + np.exp(e)) - frame.log_loss)
    score = np.where(size <= DELTA, size**2 / 2, DELTA * (size - DELTA / 2))
    order = np.argsort(study.weights @ score.T, axis=1)[:, :starts]
    return moved[order]


def absent() -> str | None:
    """Return why there is no library on this machine, None if there is one."""
    try:
        compiled()
    except OSError as missing:
        return str(missing)
    return None


@lru_cache
def compiled() -> tuple[ctypes.CDLL, float]:
    """Return the loop, compiled and loaded once a process, and the seconds that took.

    Raises OSError where there is no compiler or it fails.

    Compiled and linked apart: linked under -ffast-math, GCC's start-up code would have the whole process, and with it
    every other contestant, flush small numbers to zero.
    """
    compiler = next(filter(shutil.which, COMPILERS), None)
    if compiler is None:
        raise OSError(NO_COMPILER)
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        translated, linked = (str(Path(folder) / f"loop.{ending}") for ending in ("o", "so"))
        _call(compiler, *OPTIONS, *COMPILERS[compiler], "-c", str(SOURCE), "-o", translated)
        _call(compiler, "-shared", "-pthread", translated, "-o", linked)
        library = ctypes.CDLL(linked)  # stays loaded after its file is gone
    return library, time.perf_counter() - started


def _call(compiler: str, *words: str) -> None:
    answer = subprocess.run([compiler, *words], capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        reason = (answer.stderr.strip().splitlines() or [f"exit code {answer.returncode}"])[-1]
        raise OSError(REFUSED.format(compiler=compiler, reason=reason))


def _pointer(array: np.ndarray) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


ALL_ROWS = Rival(
    "cpp-loop",
    "C++ Newton loop on all cores, every row evaluated, from the point fit",
    "native",
    partial(solve, only_drawn=False),
    absent,
)
DRAWN_ROWS = Rival(
    "cpp-loop-drawn", "the same, only the rows that were drawn", "native", partial(solve, only_drawn=True), absent
)
FROM_CANDIDATES = Rival(
    "cpp-loop-candidates",
    "the same over all rows, from the two cheapest candidates of jaxscale's survey",
    "native",
    partial(solve, only_drawn=False, starts=2),
    absent,
)
