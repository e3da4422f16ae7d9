"""How Sphinx builds the site: `uv run --group docs sphinx-build -W docs build/site`."""

import sys
from importlib.metadata import version as version_of
from pathlib import Path

from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx

sys.path.insert(0, str(Path(__file__).parent / "extensions"))

project = "jaxscale"
author = "The jaxscale authors"
copyright = author
release = version = version_of("jaxscale")

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "sphinx_click",
    "myst_nb",
    "math_ml",
    "repository_links",
    "schema_tables",
]
exclude_patterns = ["extensions", "static"]
html_theme = "furo"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_title = f"jaxscale {release}"
html_copy_source = False
html_math_renderer = "mathml"  # by the browser: a page asks for nothing from a network
smartquotes = False  # --option stays as it is typed
html_show_sourcelink = False

# A link inside the site that leads nowhere is a warning, and so an error under -W.
nitpicky = True
nitpick_ignore_regex = [
    ("py:.*", ".*")
]  # types in signatures are those of NumPy, JAX and pandas, which are not read here

myst_enable_extensions = ["dollarmath", "amsmath", "deflist", "colon_fence"]
myst_heading_anchors = 3
myst_links_external_new_tab = False

# Tutorials and the gallery are executed anew in every build, in a folder of their own; an error in a cell ends it.
nb_execution_mode = "force"
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_merge_streams = True
nb_execution_show_tb = True

autodoc_preserve_defaults = True
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_type_aliases = {"ArrayLike": "ArrayLike"}
autosummary_generate = False  # entries stand on the pages of the reference, and no file is written beside them
numpydoc_show_class_members = False
numpydoc_attributes_as_param_list = True
default_role = "literal"  # single backticks of docstrings are code
python_maximum_signature_line_length = 88


def setup(app: Sphinx) -> None:
    """Show tables of CSV as text: Pygments knows no such language."""
    app.add_lexer("csv", TextLexer)
