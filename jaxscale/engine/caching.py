"""A folder in which compiled and traced programs are kept from one process to the next, and which only its user owns.

Write access to that folder is execution of code here, so a folder that others can write to is refused. This is the one
place that decides about the folder: for `js.cache`, for the environment, and for the command line.
"""

from __future__ import annotations

import hashlib
import os
import platform
import stat
import time
import warnings
from contextlib import suppress
from pathlib import Path

from jaxscale.errors import UsageError

VARIABLE = "JAXSCALE_CACHE_DIR"
"""Names another folder; empty turns the cache off."""
JAX_VARIABLE = "JAX_COMPILATION_CACHE_DIR"
"""JAX's own, which wins."""

NOT_OURS = "{given}: others can write to this folder, and compiled programs are code; chmod 700 or unset it"
NOT_USABLE = "programs cannot be kept: {reason}; name another folder"
NOT_CACHED = "Error (reading|writing) persistent compilation cache entry"
"""Beginning of JAX's warnings about a cache entry; the program is then compiled."""
LEAST_SECONDS = 0.1
"""Programs that compile faster are not kept."""
RECENT = 0.2
"""Seconds within which a program that is in the folder may be one that is still being written."""

_ASKED: list[bool] = []
"""One entry once it was decided for this process whether there is a cache."""


def cache(folder: str | os.PathLike[str] | None = None) -> Path | None:
    """Keep compiled and traced programs in a folder, for this process from now on and for later ones.

    Without it a process compiles every program anew, seconds each; with it a second process finds them. The command
    line does the same by itself. Several processes may share a folder.

    Parameters
    ----------
    folder
        Where; None for the folder of the environment variable JAXSCALE_CACHE_DIR, or else that of the command line, on
        Linux ``~/.cache/jaxscale``. It is made, with mode 0700, and has one folder inside for each machine and version
        of jaxlib.

    Returns
    -------
    Path or None
        That folder inside. Without an argument: the cache that JAX is set to already, which is left as it is; None
        where the variable is empty, or where the user's folder cannot be used, and nothing is kept.

    Raises
    ------
    UsageError
        For a folder that was named and that others can write to, since compiled programs are code; for one in the
        argument that cannot be used.

    Notes
    -----
    A process in which JAXSCALE_CACHE_DIR names a folder keeps its programs there without this call. JAX has one such
    cache for a process: other programs compiled in it are kept, too. An entry that cannot be read is compiled again.

    Examples
    --------
    >>> kept = js.cache()
    >>> kept is None or kept.is_dir()
    True
    """
    import jax

    _ASKED.append(True)
    if folder is None:
        known = jax.config.values["jax_compilation_cache_dir"]
        if known:
            return Path(known)
        found, _ = chosen()
    else:
        base = Path(folder).expanduser()
        if is_open_to_others(base):
            raise UsageError(NOT_OURS.format(given=base))
        reason = refusal(base)
        if reason is not None:
            raise UsageError(NOT_USABLE.format(reason=reason))
        found = base / leaf_name()
    if found is not None:
        use(found)
    return found


def follow_environment() -> None:
    """Before this process compiles its first program: keep programs where JAXSCALE_CACHE_DIR says, if it does.

    Raises UsageError if that is a folder that others can write to.
    """
    if not _ASKED:
        _ASKED.append(True)
        if os.environ.get(VARIABLE):
            cache()


def chosen() -> tuple[Path | None, str]:
    """Return the folder for this machine and jaxlib that the environment and the user's folders lead to.

    Where there is none, the reason beside it. The folders are made. Raises UsageError if JAXSCALE_CACHE_DIR names a
    folder that others can write to; anything else that is wrong with a folder turns the cache off.
    """
    if os.environ.get(JAX_VARIABLE):
        return None, f"{JAX_VARIABLE} is set"
    base = base_folder()
    if base is None:
        return None, f"{VARIABLE} is empty"
    reason = refusal(base)
    if reason is None:
        return base / leaf_name(), ""
    if VARIABLE in os.environ and is_open_to_others(base):
        raise UsageError(NOT_OURS.format(given=f"{VARIABLE}={base}"))
    return None, reason


def use(folder: Path) -> None:
    """Have JAX keep programs in a folder, and the engine its traces."""
    import jax
    from jax.experimental.compilation_cache import compilation_cache

    from jaxscale.engine.tracing import keep_in

    _ASKED.append(True)
    warnings.filterwarnings("ignore", message=NOT_CACHED)  # a full disk costs time, and says so once for each program
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", LEAST_SECONDS)
    compilation_cache.reset_cache()  # a process that has compiled has decided that it has none
    keep_in(folder)


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
