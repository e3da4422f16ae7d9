"""`js.report`: one HTML page of a study, which needs nothing else to be read."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from jaxscale.errors import StoreError, UsageError
from jaxscale.results import Fit, Study
from jaxscale.text import shown_name
from jaxscale.webpages.charts import chart_library, check_packages
from jaxscale.webpages.contents import Contents, contents_of

NO_STUDY = "a {kind} has no page of its own; give a Study, or a Fit"
NOT_WRITTEN = "{path}: the page could not be written ({reason}); check the folder's owner and the disk"
TEMPLATE = "page.html.j2"


def report(study: Study | Fit, path: str | Path) -> Path:
    """Write one HTML page of a study: the answer, how sure it is, what it rests on, and how to repeat it.

    The page stands alone: it asks for nothing from a network, and is read without JavaScript, on a dark screen and on
    paper. With JavaScript its frontier can be zoomed, and budget and caps varied. Its numbers are those of the study's
    JSON, or follow from its fit and replicates.

    Parameters
    ----------
    study
        A Study, or a Fit alone.
    path
        Of the file, which is replaced where it is there.

    Returns
    -------
    Path
        The file's absolute path.

    Raises
    ------
    MissingDependencyError
        Where the packages of the extra `report` are not there.
    UsageError
        For what is no study.
    StoreError
        For a file that cannot be written.

    Examples
    --------
    >>> page = js.report(js.Study(fit, ensemble), "study.html")
    >>> page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    True
    """
    check_packages()
    if not isinstance(study, Study | Fit):
        raise UsageError(NO_STUDY.format(kind=type(study).__name__))
    text = html_of(contents_of(study if isinstance(study, Study) else Study(study)))
    target = Path(path).absolute()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise StoreError(NOT_WRITTEN.format(path=shown_name(str(target)), reason=reason)) from error
    return target


def html_of(contents: Contents) -> str:
    """Return the page: what comes from tables is escaped, what jaxscale and its libraries wrote stands as it is."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FunctionLoader(_own), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    # the data has no <, so that nothing in it can end its element
    own = {"style": Markup(_own("page.css")), "script": Markup(_own("page.js")), "data": Markup(contents.data)}
    library = Markup(chart_library()) if contents.has_chart else None
    page: str = environment.get_template(TEMPLATE).render(**contents.words, **own, library=library)
    return page.lstrip()


def _own(name: str) -> str:
    return resources.files("jaxscale.webpages").joinpath(name).read_text(encoding="utf-8")
