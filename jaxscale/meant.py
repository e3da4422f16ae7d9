"""The file or folder that a mistyped path may mean: the nearest name where the path leaves what is there."""

from __future__ import annotations

import os
from difflib import get_close_matches
from pathlib import Path

from jaxscale.text import shown_name

RESULTS = "jaxscale-out"
"""Folder of results where none is named."""
MOST = 5000
"""Entries of a folder that are looked at."""
CUTOFF = 0.6
MEANT = "; did you mean {near}?"


def near_path(path: str | Path) -> str:
    """Return "; did you mean jaxscale-out/chinchilla-1234abcd?" for a path that is not there; empty where none is near.

    A bare name is looked for among the results, too. The rest of a path counts where it is there.
    """
    typed = Path(path)
    before, missing = Path(), list(typed.parts)
    while missing and os.path.lexists(before / missing[0]):
        before /= missing.pop(0)
    places = [before, *([before / RESULTS] if len(typed.parts) == 1 else [])]
    for place in places if missing else []:
        near = _nearest(missing[0], place)
        if near is not None:
            whole = place.joinpath(near, *missing[1:])
            found = whole if os.path.lexists(whole) else place / near
            return MEANT.format(near=shown_name(str(found)))
    return ""


def _nearest(name: str, folder: Path) -> str | None:
    """Return the entry of a folder that is nearest to a name, or the one entry that begins with it."""
    try:
        with os.scandir(folder) as entries:
            known = [one.name for one, _ in zip(entries, range(MOST), strict=False)]
    except (OSError, ValueError):  # ValueError: a NUL in the name
        return None
    near = get_close_matches(name, known, n=1, cutoff=CUTOFF)
    begun = [one for one in known if one.startswith(name)]
    return near[0] if near else begun[0] if len(begun) == 1 else None
