"""Set-up before a command imports JAX: memory on demand, and programs kept where `js.cache` keeps them."""

from __future__ import annotations

import gc
import os
from functools import partial

from jaxscale.cli.session import Session

OFF = "compile cache: off ({reason})"
IN_USE = "compile cache: {folder}"


def prepare(session: Session) -> None:
    """Set up this process for JAX: no memory taken in advance, and the persistent compilation cache where it is safe.

    Raises UsageError if JAXSCALE_CACHE_DIR names a folder that others can write to; anything else that is wrong with
    the folder turns the cache off. JAX's own variable JAX_COMPILATION_CACHE_DIR wins.
    """
    from jaxscale.engine import caching

    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    folder, reason = caching.chosen()
    if session.is_own:
        _import_jax()
    if folder is None:
        session.detail(OFF.format(reason=reason))
        return
    session.tidy.append(partial(caching.drop_unfinished, folder))
    caching.use(folder)
    session.detail(IN_USE.format(folder=folder))


def _import_jax() -> None:
    """Import JAX without looking for garbage: what it makes stays to the end, and no later collection looks at it.

    For a process of the command: in another, garbage of its own would stay as well.
    """
    gc.disable()
    try:
        import jax  # noqa: F401
    finally:
        gc.freeze()
        gc.enable()
