"""What a page says: the numbers of the study's JSON, every kind of study, text as text, and what repeats it."""

import importlib.util
import re
import shlex
from dataclasses import replace
from html.parser import HTMLParser
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner
from handmade import ensemble_of, fit_of, frontier_of

import jaxscale as js
from jaxscale.cli.main import main
from jaxscale.digits import count, scientific, significant
from jaxscale.finding import Finding
from jaxscale.laws import LAWS
from jaxscale.reports import fit_document, warnings_of
from jaxscale.results import Study
from jaxscale.status import Status
from jaxscale.webpages.citing import ARXIV, citations_of
from jaxscale.webpages.repeating import command_of, row_ranges
from jaxscale.webpages.tables import influential_rows
from jaxscale.webpages.thinning import thinned
from jaxscale.webpages.whatif import slider_budgets

MOST = 3_000_000
"""Bytes of the page of a study."""
EVIL = "</script><img src=x onerror=alert(1)>"


class Text(HTMLParser):
    """Gathers what can be read, and the names of all elements."""

    def __init__(self):
        super().__init__()
        self.said, self.elements, self.inside = [], [], []

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        self.inside.append(tag)

    def handle_endtag(self, tag):
        while tag in self.inside and self.inside.pop() != tag:
            pass

    def handle_data(self, data):
        if not {"script", "style"} & set(self.inside):
            self.said.append(data)


def answer_of(*, replicates=60, unusable=0.0):
    """Return a study made by hand, of two budgets."""
    fit = fit_of()
    ensemble = ensemble_of(fit, replicates=replicates, unusable=unusable) if replicates else None
    return Study(fit, ensemble, frontier_of(fit, ensemble, flops=(1e21, 1e23)))


def read(path):
    text = Text()
    text.feed(path.read_text(encoding="utf-8"))
    return " ".join(" ".join(text.said).split()), text.elements


def paged(study, folder):
    return read(js.report(study, folder / "page.html"))


def test_the_page_says_the_numbers_of_the_documents(page, study):
    said, _ = read(page)
    document = fit_document(study)
    for name, value in document["coefs"].items():
        spread = document["bootstrap"]["coefs"][name]
        is_heavy = spread["std"] > 0.5 * value  # then the error is that of the logarithm
        error = f"ln ± {significant(spread['log_std'], 3)}" if is_heavy else significant(spread["std"], 3)
        assert f"{name} {significant(value)} {error}" in said
    for row in document["frontier"]:
        assert scientific(row["flops"]) in said
        for quantity in ("params", "tokens"):
            one = row[quantity]
            assert f"{count(one['value'])} {count(one['low'])} … {count(one['high'])}" in said
    for one in warnings_of(study):
        assert f"{one.code} {one.message}" in said
    assert document["data"]["sha256"] in said
    assert f"seed {document['bootstrap']['seed']}" in said


def test_the_answer_comes_first_and_every_section_is_linked(page):
    _, elements = read(page)
    sections = [attributes["id"] for tag, attributes in elements if tag == "section"]
    assert sections == ["answer", "certainty", "evidence", "frontier", "what-if", "methods", "repeat"]
    links = [attributes["href"] for tag, attributes in elements if tag == "a"]
    assert links == [f"#{one}" for one in sections]


def test_the_page_of_a_study_holds_at_most_three_megabytes(page):
    assert page.stat().st_size <= MOST


def test_the_command_on_the_page_makes_the_study_again(study, tmp_path, monkeypatch):
    monkeypatch.setenv("JAXSCALE_CACHE_DIR", "")
    program, *words = shlex.split(command_of(study).replace("\\\n", ""))
    answer = CliRunner().invoke(main, [*words, "--out", str(tmp_path / "again")])
    assert (program, answer.exit_code) == ("jaxscale", 0), answer.stderr
    again = js.load(tmp_path / "again")
    assert again.fit.coefs == study.fit.coefs
    for name, column in study.ensemble.coefs.items():
        np.testing.assert_array_equal(again.ensemble.coefs[name], column)
    np.testing.assert_array_equal(again.frontier.flops, study.frontier.flops)
    assert (again.level, again.interval) == (study.level, study.interval)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"where": ("loss < 3.7 and run != 'a'",)}, ["--where", "loss < 3.7 and run != 'a'"]),
        ({"columns": {"params": "Model Size", "loss": "loss"}}, ["--map", "params=Model Size"]),
        ({"columns": {"group": "corpus"}}, ["--group", "corpus"]),
        ({"derived": {"loss": "1 - acc"}}, ["--map", "loss=1 - acc"]),
        ({"scale": {"tokens": 1e9}}, ["--scale", "tokens=1000000000.0"]),
        ({"lowest_per": {"params": 0.5, "tokens": 0.5}}, ["--lowest-per", "params,tokens@0.5"]),
        ({"units_ok": True}, ["--units-ok"]),
        ({"left_out": {"final": 3}}, ["--final"]),
    ],
)
def test_the_command_holds_what_was_done_to_the_table(changes, words):
    fit = fit_of()
    origin = replace(fit.runs.origin, source="runs.csv", **changes)
    command = shlex.split(command_of(Study(replace(fit, runs=replace(fit.runs, origin=origin)))).replace("\\\n", ""))
    at = command.index(words[0])
    assert command[at : at + len(words)] == words


def test_a_law_of_the_users_own_has_no_command():
    law = replace(LAWS.resolve("chinchilla"), name="mine")
    assert command_of(Study(replace(fit_of(), law=law))) is None


def test_every_source_of_a_shipped_law_has_its_bibtex():
    for law in LAWS:
        entries = citations_of(law)
        assert len(entries) == len(set(ARXIV.findall(law.source))) > 0, law.name
        for entry in entries:
            assert re.fullmatch(r"@misc\{\w+,\n(  \w+ = \{.+\},?\n)+\}", entry), entry


def test_the_page_cites_the_law_and_the_tool(page):
    said, _ = read(page)
    assert "@misc{hoffmann2022, author = {Hoffmann, Jordan and others}" in said
    assert "@software{jaxscale, author = {{The jaxscale authors}}" in said
    assert "the law 'chinchilla' [@hoffmann2022]" in said


def test_markup_in_a_table_stays_text(tmp_path):
    fit = replace(fit_of(status=Status.STALLED), findings=(Finding("odd", EVIL, (3,)),))
    origin = replace(fit.runs.origin, source=f"{EVIL}.csv", columns={"params": EVIL}, where=(f"run != '{EVIL}'",))
    said, elements = paged(Study(replace(fit, runs=replace(fit.runs, origin=origin))), tmp_path)
    plain, elements_of_plain = paged(Study(fit_of(status=Status.STALLED)), tmp_path)
    assert said.count(EVIL) >= 4
    assert EVIL not in plain
    assert [tag for tag, _ in elements].count("script") == [tag for tag, _ in elements_of_plain].count("script")
    assert all("onerror" not in attributes for _, attributes in elements)


def test_control_characters_and_long_names_of_runs_are_escaped_and_cut():
    one = dict.fromkeys(("studentised", "leverage", "distance", "tokens_per_param"), np.ones(2))
    own = SimpleNamespace(names=("\x1b[31mred", "x" * 300), rows=((1,), (2,)), params=np.ones(2), **one)
    rows = influential_rows(SimpleNamespace(influence=own, removals=()))
    assert [row.name for row in rows] == [r"\x1b[31mred", "x" * 40 + "…"]


def test_a_fit_that_failed_is_said_so_first_and_plans_nothing(tmp_path):
    said, elements = paged(Study(fit_of(status=Status.STALLED)), tmp_path)
    assert "Nothing should be planned from this fit: it ended as 'stalled', which is no minimum." in said
    assert "There are no diagnostics" in said
    assert not [tag for tag, _ in elements if tag == "input"]


def test_without_replicates_there_are_values_and_no_bands(tmp_path):
    said, _ = paged(answer_of(replicates=0), tmp_path)
    assert "There are no replicates, so nothing on this page has an interval." in said
    assert "no band" in said
    assert "so these plans have no bands" in said


def test_too_few_usable_replicates_give_no_bands(tmp_path):
    study = answer_of(unusable=0.75)
    said, _ = paged(study, tmp_path)
    assert "only 25.0% of its replicates are usable" in said
    assert f"{Status.NON_FINITE} 45" in said


def test_a_law_that_does_not_split_a_budget_says_so(tmp_path):
    study = answer_of(replicates=0)
    said, elements = paged(replace(study, frontier=None), tmp_path)
    assert "does not say how a budget is best spent" in said
    assert "there is no frontier" in said
    assert not [tag for tag, _ in elements if tag == "input"]


def test_rows_are_told_as_ranges():
    assert row_ranges((3, 1, 2, 7, 9, 10)) == "1–3, 7, 9–10"
    assert row_ranges(()) == ""


def test_few_replicates_are_drawn_alike_each_time_and_are_those_of_the_whole():
    ensemble = ensemble_of(fit_of(), replicates=400)
    some = thinned(ensemble, 50)
    assert len(some) == 50
    np.testing.assert_array_equal(some.replicate, thinned(ensemble, 50).replicate)
    np.testing.assert_array_equal(some.coefs["alpha"], ensemble.coefs["alpha"][some.replicate])
    np.testing.assert_array_equal(some.weights(7), ensemble.weights(int(some.replicate[7])))
    assert thinned(ensemble, 400) is ensemble


def test_the_slider_of_budgets_has_those_that_were_asked_for(study):
    steps = slider_budgets(study.frontier)
    assert np.isin(study.frontier.flops, steps).all()
    assert (np.diff(steps) > 0).all()


def test_without_the_extra_it_says_how_to_get_it(saved, monkeypatch):
    known = importlib.util.find_spec
    monkeypatch.setattr("jaxscale.webpages.charts.find_spec", lambda name: None if name == "bokeh" else known(name))
    answer = CliRunner().invoke(main, ["report", str(saved)])
    assert answer.exit_code == js.MissingDependencyError.exit_code == 5
    assert "bokeh" in answer.stderr
    assert "--extra report" in answer.stderr


def test_a_page_that_cannot_be_written_is_an_error_of_the_store(saved, tmp_path):
    (tmp_path / "file").write_text("x")
    answer = CliRunner().invoke(main, ["report", str(saved), "--out", str(tmp_path / "file" / "page.html")])
    assert answer.exit_code == js.StoreError.exit_code


def test_what_is_no_study_has_no_page(tmp_path):
    with pytest.raises(js.UsageError, match="has no page of its own"):
        js.report("study", tmp_path / "page.html")


@pytest.mark.slow
def test_the_page_of_the_shipped_study_is_small(tmp_path):
    """As `jaxscale fit` makes it without arguments: 4,000 replicates and five budgets."""
    path = js.report(js.study(js.datasets.load("pilot")), tmp_path / "page.html")
    assert path.stat().st_size <= MOST


@pytest.mark.slow
def test_groups_have_a_frontier_each_and_so_has_a_table_along_one_line(tmp_path):
    random = np.random.default_rng(4)
    params = 10 ** random.uniform(7, 9, 40)
    columns = {"params": params, "tokens": 10 ** random.uniform(9, 11, 40)}
    coefs = {"E": 1.8, "A": 480.0, "B": 2100.0, "alpha": 0.35, "beta": 0.37}
    runs = js.simulate("chinchilla", coefs, columns=columns, noise=0.01, seed=5)
    group = np.where(np.arange(40) % 2 == 0, "<b>one</b>", "two")
    both = js.study(replace(runs, group=group), per_group=("E",), replicates=40, scheme="pairs")
    said, elements = paged(both, tmp_path)
    assert "<b>one</b>" in said
    assert len([one for tag, one in elements if tag == "input"]) == 6
    line = js.simulate("chinchilla", coefs, columns={"params": params, "tokens": 20.0 * params}, noise=0.01, seed=5)
    said, _ = paged(js.study(line, replicates=40), tmp_path)
    assert "the curve on which all runs lie" in said
