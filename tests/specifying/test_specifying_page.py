"""The page, the document and the figure of specification curves that were made up by hand."""

import json
import sys
from io import StringIO
from pathlib import Path

import pytest
from curves import curve
from rich.console import Console

from jaxscale.errors import UsageError
from jaxscale.figures import draw_specifications
from jaxscale.reports import json_text, print_specifications, specification_notes, specifications_document

sys.path.append(str(Path(__file__).parents[1] / "figures"))
from test_figures import assert_no_text_overlaps, boxes

MANY = {"deltas": tuple(10.0**place for place in range(-6, 3)), "laws": tuple(f"law-{place}" for place in range(8))}


def page_of(found, width=80):
    console = Console(file=StringIO(), width=width)
    print_specifications(found, console, width=width)
    return console.file.getvalue()


@pytest.mark.parametrize("found", [curve(is_product=False), curve(), curve(failed=2)], ids=["star", "full", "failed"])
@pytest.mark.parametrize("width", ["column", "page"])
@pytest.mark.parametrize("answer", ["params", "loss"])
def test_no_text_overlaps(found, width, answer):
    assert_no_text_overlaps(draw_specifications(found, answer, width=width, notes=specification_notes(found)))


def test_hundreds_of_specifications_and_a_single_one_draw_too():
    assert_no_text_overlaps(draw_specifications(curve(**MANY), width="column"))
    assert_no_text_overlaps(draw_specifications(curve(laws=("kaplan",), deltas=(1.0,), rows=("all",), failed=0)))


def test_the_figure_names_every_choice_and_every_part():
    words = [text for text, _ in boxes(draw_specifications(curve()))]
    for name in ("kaplan", "0.01", "smallest-10%", "law", "rows", "noise", "form", "objective", "selection"):
        assert name in words


def test_nothing_to_draw_is_refused():
    with pytest.raises(UsageError, match="no specification has an answer"):
        draw_specifications(curve(laws=("kaplan",), deltas=(1.0,), rows=("all",), failed=2))


@pytest.mark.parametrize("found", [curve(is_product=False), curve(), curve(**MANY)], ids=["star", "full", "many"])
def test_the_page_fits_80_columns_and_says_the_shares_of_the_document(found):
    page = page_of(found)
    assert max(map(len, page.splitlines())) <= 80
    document = json.loads(json_text(specifications_document(found)))
    for answer in ("params", "loss"):
        shares = document["spread"][answer]["shares"]
        assert sum(shares.values()) == pytest.approx(1.0)
        for share in shares.values():
            assert f"{100 * share:.1f} %" in page
    assert len(document["specifications"]) == len(found)
    assert document["axes"]["law"] == list(found.choices("law"))
    assert "singular" in page
    assert "the fit is no minimum" in " ".join(page.split())


def test_what_does_not_exist_is_null_in_the_document():
    last = specifications_document(curve())["specifications"][-1]
    assert last["status"] == "singular"
    assert last["params"] == {"value": None, "low": None, "high": None, "variance": None}
