"""Traced programs that are kept in a folder, so that another process need not trace them again.

Tracing and lowering are Python, and take most of the time of a start that finds every compiled program in JAX's own
cache. A program is kept as StableHLO (`jax.export`), under a name that says what tracing would have seen; compiling it
is left to JAX and its cache.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any

import jax

if TYPE_CHECKING:
    from jax.export import Exported

FOLDER: list[Path] = []
"""Where traces are kept; empty where they are not."""
ENDING = ".trace"


def keep_in(folder: Path | None) -> None:
    """Keep traces in a folder that nobody else can write to; None for nowhere."""
    FOLDER[:] = [] if folder is None else [folder]


def is_kept() -> bool:
    """Return whether traces are kept."""
    return bool(FOLDER)


class Trace:
    """A function of flat arrays as StableHLO, and the tree of its result."""

    def __init__(self, exported: Exported, tree: Any) -> None:  # noqa: ANN401 - a tree definition
        self.exported, self.tree = exported, tree

    @classmethod
    def of(cls, function: Callable[..., Any], tree: Any, leaves: list[jax.ShapeDtypeStruct]) -> Trace:  # noqa: ANN401
        """Return the trace of a function of one pytree, whose tree this is and whose leaves have these shapes."""
        from jax import export

        trees: list[Any] = []

        def flat(*arrays: jax.Array) -> list[jax.Array]:
            found, result = jax.tree.flatten(function(jax.tree.unflatten(tree, arrays)))
            trees.append(result)
            return found

        flat.__name__ = getattr(getattr(function, "func", function), "__name__", "program")
        return cls(export.export(jax.jit(flat))(*leaves), trees[-1])


def kept_trace(name: str) -> Trace | None:
    """Return the trace of that name; None where there is none, or none that can be read."""
    from jax import export

    for folder in FOLDER:
        with suppress(Exception):  # a file of any content is no more than a trace that is missing
            made, example = pickle.loads((folder / f"{name}{ENDING}").read_bytes())
            return Trace(export.deserialize(bytearray(made)), jax.tree.structure(example))
    return None


def keep_trace(name: str, trace: Trace) -> None:
    """Keep a trace, whole or not at all; where the folder takes none, there is none."""
    example = jax.tree.unflatten(trace.tree, [0] * trace.tree.num_leaves)
    for folder in FOLDER:
        with suppress(OSError, pickle.PicklingError, AttributeError, TypeError):
            content = pickle.dumps((bytes(trace.exported.serialize()), example))
            with NamedTemporaryFile(dir=folder, prefix=name[:16], delete=False) as file:
                beside = Path(file.name)
                try:
                    file.write(content)
                    file.flush()
                    os.replace(beside, folder / f"{name}{ENDING}")
                finally:
                    beside.unlink(missing_ok=True)
