"""Names of programs that hold in every process: what tracing would see, without tracing."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import lru_cache, partial
from importlib import import_module
from pathlib import Path
from types import MethodType
from typing import Any

import jax
import numpy as np

from jaxscale.numerics.made import parts_of

OURS = ("jaxscale", "jax")
"""Packages whose functions are known by their names: what they do follows from the versions."""


SETTINGS = ("jax_enable_x64", "jax_threefry_partitionable", "jax_default_matmul_precision")
"""Of JAX, on which depends what is traced: which bits are drawn, and how exactly products are taken."""


class Unnamed(Exception):  # noqa: N818 - no failure: such a program is traced
    """Something that another process could not find by a name, such as a function in a notebook."""


def lasting_name(*parts: object) -> str | None:
    """Return the digest of what a program is made of, and of the code and versions at hand; None where it has none.

    Functions are named by their place in jaxscale or JAX, those made at run time by what they close over
    (`numerics.made`), dataclasses by their fields. A function from elsewhere has no name.
    """
    try:
        text = "\n".join(map(_described, (*parts, *(getattr(jax.config, name) for name in SETTINGS))))
    except Unnamed:
        return None
    return hashlib.sha256(f"{surroundings()}\n{text}".encode()).hexdigest()


@lru_cache(maxsize=1)
def surroundings() -> str:
    """Return what else a trace depends on: the versions, and which files of jaxscale there are, from when."""
    root = Path(__file__).parents[1]
    files = sorted(root.rglob("*.py"))
    states = ((path.relative_to(root), path.stat()) for path in files)
    code = "\n".join(f"{path} {state.st_size} {state.st_mtime_ns}" for path, state in states)
    own = hashlib.sha256(f"{root}\n{code}".encode()).hexdigest()
    return f"{own} jax {jax.__version__} numpy {np.__version__} python {platform.python_version()}"


def _described(value: Any) -> str:  # noqa: ANN401 - anything that a static argument holds
    if value is None or isinstance(value, bool | int | float | str | bytes):
        return repr(value)
    if isinstance(value, Enum):
        return f"{type(value).__qualname__}.{value.name}"
    if isinstance(value, np.ndarray | np.generic):
        return f"{value.dtype}{np.shape(value)}{hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()}"
    if isinstance(value, np.dtype | jax.tree_util.PyTreeDef):
        return str(value)
    if isinstance(value, partial):
        return f"partial({_described(value.func)}{_described(value.args)}{_described(value.keywords)})"
    if is_dataclass(value) and not isinstance(value, type):
        own = ((one.name, getattr(value, one.name)) for one in fields(value) if one.compare)
        return f"{_place_of(type(value))}({', '.join(f'{name}={_described(part)}' for name, part in own)})"
    if isinstance(value, tuple | list):
        return f"{_place_of(type(value))}({', '.join(map(_described, value))})"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{_described(key)}: {_described(part)}' for key, part in value.items())}}}"
    if isinstance(value, MethodType):
        return f"{_described(value.__self__)}.{value.__name__}"
    parts = parts_of(value)
    if parts is not None:
        return f"{value.__module__}.{value.__qualname__}({', '.join(map(_described, parts))})"
    return _place_of(value)


def _place_of(value: Any) -> str:  # noqa: ANN401 - a function or a class
    """Return where a function or a class is found; raise Unnamed for what is not found there, or is not ours."""
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
    if value in (tuple, list):
        return str(name)
    if not module or not name or module.partition(".")[0] not in OURS or "<" in name:
        raise Unnamed(repr(value))
    found: Any = import_module(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    if found is not value:
        raise Unnamed(repr(value))
    return f"{module}.{name}"
