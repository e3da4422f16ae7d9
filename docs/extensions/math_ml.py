"""Equations as MathML, which browsers lay out themselves: MathJax would be fetched from a network."""

from __future__ import annotations

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.writers.html5 import HTML5Translator

LOGGER = logging.getLogger(__name__)


def in_mathml(node: nodes.math | nodes.math_block, **options: str) -> str:
    """Return an equation in MathML; a command of LaTeX that has no translation is a warning."""
    found = convert(node.astext(), **options)
    if "\\" in found:
        LOGGER.warning("an equation has a command without translation: %s", node.astext(), location=node)
    return found


def visit_inline(writer: HTML5Translator, node: nodes.math) -> None:
    """Write an equation within a line."""
    writer.body.append(in_mathml(node))
    raise nodes.SkipNode


def visit_block(writer: HTML5Translator, node: nodes.math_block) -> None:
    """Write an equation on a line of its own, whose style is in `site.css`."""
    writer.body.append(f'<div class="math-block">{in_mathml(node, display="block")}</div>')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the renderer `mathml`."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    return {"parallel_read_safe": True}
