"""From a page to a file whose bytes depend on the page alone."""

from __future__ import annotations

from pathlib import Path

import matplotlib
from matplotlib.figure import Figure

from jaxscale.errors import UsageError
from jaxscale.figures.style import house_style

DPI = 160
"""Dots per inch of a PNG: a page of 8.6 inches is 1376 pixels wide."""

NOT_A_FORMAT = "a figure cannot be saved as '{suffix}'; known: {known}"

# Without these entries matplotlib writes its version or the time of day into the file.
METADATA: dict[str, dict[str, str | None]] = {
    ".png": {"Software": None},
    ".pdf": {"Creator": None, "Producer": None, "CreationDate": None},
    ".svg": {"Creator": None, "Date": None},
}


def save(figure: Figure, path: str | Path) -> None:
    """Write the page as PNG (160 dpi), PDF or SVG, by the path's suffix; an existing file is replaced.

    Raises UsageError for another suffix, OSError where the file cannot be written.
    """
    target = Path(path)
    suffix = target.suffix.lower()
    if suffix not in METADATA:
        raise UsageError(NOT_A_FORMAT.format(suffix=suffix, known=", ".join(METADATA)))
    with house_style(), matplotlib.rc_context({"svg.hashsalt": "jaxscale", "savefig.facecolor": "white"}):
        figure.savefig(target, format=suffix[1:], dpi=DPI, metadata=METADATA[suffix])
