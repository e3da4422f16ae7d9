"""The file of laws that lists and searches read in place of the registry."""

import json
import subprocess
import sys

import pytest

from jaxscale.errors import UsageError
from jaxscale.laws import ALIASES, LAWS
from jaxscale.reports import index_text, law_document, lawindex, shipped

REGENERATE = "jaxscale laws --index > jaxscale/laws/index.json"
ASK = """
import sys
from jaxscale.cli.main import main
for words in (["laws"], ["laws", "--search", "moe"], ["laws", "kaplan"], ["laws", "--json"]):
    try:
        main(words)
    except SystemExit as end:
        assert end.code == 0, words
print([name for name in ("jax", "pandas") if name in sys.modules], file=sys.stderr)
"""


def test_the_committed_file_is_the_one_that_the_registry_writes():
    assert lawindex.INDEX.read_text(encoding="utf-8") == index_text(), f"write the file again: {REGENERATE}"


def test_it_holds_the_document_of_every_law_in_the_order_of_the_registry():
    assert list(shipped()) == [law_document(law) for law in LAWS]
    assert shipped().names == LAWS.names
    assert set(shipped().aliases) == set(ALIASES)


def test_a_law_is_found_by_its_name_and_by_a_second_one():
    for name in (*LAWS.names, *ALIASES):
        assert shipped().find(name)["name"] == LAWS[name].name
    with pytest.raises(UsageError, match="Did you mean 'kaplan'"):
        shipped().find("kaplam")


def test_a_file_that_is_older_than_the_laws_is_not_believed(monkeypatch, tmp_path):
    kept = json.loads(lawindex.INDEX.read_text(encoding="utf-8"))
    old = tmp_path / "index.json"
    monkeypatch.setattr(lawindex, "INDEX", old)
    old.write_text(json.dumps({**kept, "families": kept["families"][:1]}))
    assert len(list(shipped())) == len(kept["families"][0]["laws"])
    old.write_text(json.dumps({"sources": "of other laws", "families": kept["families"][:1]}))
    assert shipped().names == LAWS.names


def test_no_list_search_or_page_of_laws_needs_jax():
    asked = subprocess.run([sys.executable, "-c", ASK], capture_output=True, encoding="utf-8", timeout=60, check=True)
    assert asked.stderr.strip() == "[]"
