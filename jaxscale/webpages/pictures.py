"""Figures of a study for a page: SVG in data addresses, with colours that follow a dark page."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jaxscale.errors import JaxscaleError
from jaxscale.figures import FIGURES, svg_of
from jaxscale.figures.pages import GREY, INK
from jaxscale.results import Study

POINTS = 96.0
"""Pixels of a page to an inch."""
DARK = (
    "<style>@media (prefers-color-scheme: dark) {{ "
    "[style*='fill: #ffffff'] {{ fill: #14171c !important }} "
    "[style*='fill: {ink}'] {{ fill: #e6e9ee !important }} [style*='stroke: {ink}'] {{ stroke: #e6e9ee !important }} "
    "[style*='fill: {grey}'] {{ fill: #a3acb9 !important }} [style*='stroke: {grey}'] {{ stroke: #a3acb9 !important }} "
    "[style*='fill: #d9d9d9'] {{ fill: #4a525e !important }} [style*='fill: #0072b2'] {{ fill: #6cb8ea !important }} "
    "}}</style>"
).format(ink=INK.lower(), grey=GREY.lower())
"""Colours of the house on a dark page. A printed page is light."""


ON_WHITE = ("coefs", "isoloss", "residuals")
"""Figures that stay on white paper: their clouds fade into it, and the dark end of their colours would into black."""


@dataclass(frozen=True)
class Picture:
    """A figure as an address of data, with its title and its size in pixels."""

    title: str
    data: str
    width: int
    height: int


def pictures_of(study: Study, names: Sequence[str]) -> Mapping[str, Picture | None]:
    """Return the named figures of a study, None for those that it does not allow."""
    found: dict[str, Picture | None] = dict.fromkeys(names)
    for name in names:
        figure = FIGURES.resolve(name)
        try:
            page = figure.make(study)
        except JaxscaleError:  # a law without such a picture, a fit without replicates: the page says so in words
            continue
        head, tag, rest = svg_of(page).partition("<defs>")
        svg = (head + ("" if name in ON_WHITE else DARK) + tag + rest).encode("utf-8")
        width, height = (round(POINTS * float(side)) for side in page.get_size_inches())
        address = f"data:image/svg+xml;base64,{base64.b64encode(svg).decode('ascii')}"
        found[name] = Picture(figure.title[:1].upper() + figure.title[1:], address, width, height)
    return found
