"""Set-up before a command imports JAX: memory on demand, and a compile cache in a folder that only the user owns.

Write access to that folder is execution of code here, so a folder that others can write to is refused.
"""

from __future__ import annotations

import hashlib
import os
import platform
import stat
import time
import warnings
from contextlib import suppress
from functools import partial
from pathlib import Path

from jaxscale.cli.session import Session
from jaxscale.errors import UsageError

VARIABLE = "JAXSCALE_CACHE_DIR"
"""Names another folder; empty turns the cache off."""

NOT_OURS = "{variable}={folder}: others can write to this folder, and compiled programs are code; chmod 700 or unset it"
OFF = "compile cache: off ({reason})"
IN_USE = "compile cache: {folder}"
NOT_CACHED = "Error (reading|writing) persistent compilation cache entry"
"""Beginning of JAX's warnings about a cache entry; the program is then compiled."""
LEAST_SECONDS = 0.1
"""Programs that compile faster are not kept."""
RECENT = 0.2
"""Seconds within which a program that is in the folder may be one that is still being written."""


def prepare(session: Session) -> None:
    """Set up this process for JAX: no memory taken in advance, and the persistent compilation cache where it is safe.

    Raises UsageError if JAXSCALE_CACHE_DIR names a folder that others can write to; anything else that is wrong with
    the folder turns the cache off. JAX's own variable JAX_COMPILATION_CACHE_DIR wins.
    """
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    if os.environ.get("JAX_COMPILATION_CACHE_DIR"):
        return
    base = base_folder()
    if base is None:
        session.detail(OFF.format(reason=f"{VARIABLE} is empty"))
        return
    reason = refusal(base)
    if reason is None:
        _use(base / leaf_name(), session)
    elif VARIABLE in os.environ and is_open_to_others(base):
        raise UsageError(NOT_OURS.format(variable=VARIABLE, folder=base))
    else:
        session.detail(OFF.format(reason=reason))


def base_folder() -> Path | None:
    """Return the folder that holds one cache per machine and version of jaxlib; None where it is turned off."""
    from platformdirs import user_cache_path

    given = os.environ.get(VARIABLE)
    if given is None:
        return user_cache_path("jaxscale", appauthor=False)
    return Path(given).expanduser() if given else None


def leaf_name() -> str:
    """Return the name of this machine's cache: programs of another processor or jaxlib may not run here."""
    from importlib.metadata import version

    machine = hashlib.sha256(f"{platform.node()} {platform.machine()}".encode()).hexdigest()[:8]
    return f"jaxlib-{version('jaxlib')}-{machine}"


def refusal(base: Path) -> str | None:
    """Make the folders with mode 0700 if they are missing; return why they cannot be used, None if they can."""
    for folder in (base, base / leaf_name()):
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            return f"{folder} cannot be made: {error.strerror}"
        if is_open_to_others(folder):
            return f"{folder} belongs to others or can be written by them"
        if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
            return f"{folder} is not writable"
    return None


def is_open_to_others(folder: Path) -> bool:
    """Return whether someone else owns the folder or may write to it; a link counts as open."""
    try:
        found = os.lstat(folder)
    except OSError:
        return False
    is_mine = not hasattr(os, "getuid") or found.st_uid == os.getuid()
    is_shared = bool(found.st_mode & (stat.S_IWGRP | stat.S_IWOTH))
    return not is_mine or is_shared or stat.S_ISLNK(found.st_mode)


def drop_unfinished(folder: Path) -> None:
    """Remove the newest entries before the process ends: JAX would warn of an unfinished one at every later start."""
    with suppress(OSError):
        for entry in os.scandir(folder):
            if time.time() - entry.stat().st_mtime < RECENT:
                os.unlink(entry.path)


def _use(folder: Path, session: Session) -> None:
    import jax

    session.tidy.append(partial(drop_unfinished, folder))
    warnings.filterwarnings("ignore", message=NOT_CACHED)  # a full disk costs time, and says so once for each program
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", LEAST_SECONDS)
    from jaxscale.engine.tracing import keep_in

    keep_in(folder)
    session.detail(IN_USE.format(folder=folder))
