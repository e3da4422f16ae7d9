"""The page of all laws: written from the registry, committed beside the laws, and the same as what is written now."""

import re
from pathlib import Path

import pytest

import jaxscale.laws as folder
from jaxscale.digits import short
from jaxscale.laws import FILES, LAWS, Input, Law
from jaxscale.reports import law_document, laws_markdown, made_index
from jaxscale.reports.lawdocuments import how_found

PAGE = Path(folder.__file__).with_name("README.md")
REGENERATE = "jaxscale laws --markdown > jaxscale/laws/README.md"


def written():
    return laws_markdown(made_index().families)


def test_the_committed_page_is_the_one_that_the_registry_writes():
    assert PAGE.read_text(encoding="utf-8") == written(), f"write the page again: {REGENERATE}"


@pytest.mark.parametrize("law", tuple(LAWS), ids=lambda law: law.name)
def test_every_law_has_its_part_with_all_that_is_known_of_it(law):
    page = written()
    begin = page.index(f"\n### {law.name}\n")
    part = page[begin : page.index("\n### ", begin + 1)] if "\n### " in page[begin + 1 :] else page[begin:]
    for clause in law.equation.split(";"):
        assert f"\n{clause.strip()}\n" in part
    for name in (*law.inputs, *law.names, *(one.name for one in law.published)):
        assert f"| `{name}` |" in part
    for one in law.published:
        row = next(line for line in part.splitlines() if line.startswith(f"| `{one.name}` | {one.tag} |"))
        assert [float(cell) for cell in row.strip("| ").split(" | ")[-len(law.coefs) :]] == list(one.values)
    assert "**Frontier:** " in part
    assert "**Source:** " in part


def test_every_link_of_the_contents_has_its_place():
    page = written()
    anchors = {f"law-{law.name}" for law in LAWS}
    titles = {re.sub(r"\s", "-", title.lower()) for title in re.findall(r"^## (.+)$", page, re.MULTILINE)}
    links = set(re.findall(r"\]\(#([^)]+)\)", page))
    assert anchors <= links
    assert links - anchors <= titles
    assert set(re.findall(r'<a id="([^"]+)"></a>', page)) == anchors
    assert len(titles) == len(FILES)


def test_the_tables_are_tables():
    """Every row of a table has as many cells as its head."""
    for table in re.findall(r"(?:^\|.*\n)+", written(), re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3e10, "3e10"),
        (0.3, "0.3"),
        (5000.0, "5e3"),
        (640.0, "640"),
        (1.0, "1"),
        (-0.25, "-0.25"),
        (1.234567, "1.234567"),
    ],
)
def test_a_number_is_written_short_and_without_loss(value, text):
    assert short(value) == text
    assert float(short(value)) == value


def loss(params, tokens, unique_tokens, *, E):
    return E + 1.0 / params + 1.0 / tokens + 1.0 / unique_tokens


def test_how_the_frontier_is_found_follows_from_what_the_law_takes():
    assert how_found(LAWS.resolve("chinchilla")) == "numerically on C = 6 N D, in ln N"
    assert how_found(LAWS.resolve("power")).startswith("the loss at each budget")
    assert how_found(LAWS.resolve("power-params")).startswith("none")
    fixed = Law(
        "fixed", loss, ("params", "tokens", "unique_tokens"), (folder.Coef("E"),), domain=(Input("unique_tokens"),)
    )
    assert how_found(fixed).endswith("with unique_tokens fixed (--at)")
    own = Law("own", loss, fixed.inputs, fixed.coefs, flops_per_param_token=lambda unique_tokens: 6.0)
    assert "the law's own price" in how_found(own)


def test_the_document_of_a_law_has_ranges_tags_and_its_frontier():
    found = law_document(LAWS.resolve("chinchilla"))
    assert found["measures"][0] == {
        "name": "params", "symbol": "N", "unit": "params", "meaning": "size of the network", "low": 1e7, "high": 3e10,
    }  # fmt: skip
    assert (found["coefs"][3]["low"], found["coefs"][3]["high"]) == (0.15, 0.6)
    assert [one["tag"] for one in found["published"]][:3] == ["paper", "code", "second-hand"]
    assert found["frontier"] == "numerically on C = 6 N D, in ln N"
