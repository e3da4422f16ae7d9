"""A fit without a frontier says why: a law that takes more than a budget decides names what must be held."""

import io

from reported import fit_of
from rich.console import Console

from jaxscale.laws import law_from_expression
from jaxscale.reports import fit_document, print_fit
from jaxscale.results import Study

COEFS = [f"{name}:positive" for name in ("E", "A", "B", "alpha", "beta")]
LAW = law_from_expression("E + A*params**-alpha + B*tokens**-beta + quality", COEFS)


def warning_of(document):
    return {one["code"]: one["message"] for one in document["warnings"]}["no-frontier"]


def test_a_law_that_needs_an_input_held_says_which_and_how():
    answer = Study(fit_of(law=LAW))
    document = fit_document(answer)
    assert document["frontier"] == []
    assert "takes quality too, which no budget decides" in warning_of(document)
    assert "--at quality=NUMBER" in warning_of(document)
    text = io.StringIO()
    print_fit(answer, Console(file=text, width=10_000, highlight=False, markup=False), width=200)
    assert "No frontier: the law 'expression' takes quality too" in text.getvalue()


def test_a_law_that_says_nothing_about_budgets_still_says_so():
    law = law_from_expression("E + A*params**-alpha + B*params**-beta", COEFS)
    assert "does not say how a budget is best spent" in warning_of(fit_document(Study(fit_of(law=law))))
