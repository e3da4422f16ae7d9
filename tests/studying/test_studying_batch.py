"""Many studies in one call: each is the one that a call of its own makes, whatever the order and the company."""

import json
from dataclasses import replace
from io import StringIO

import numpy as np
import pytest
from many_tables import LACKING, LAW, REPLICATES, assert_same, three_tables
from rich.console import Console

import jaxscale as js
from jaxscale.errors import RunsError, StoreError, UsageError
from jaxscale.reports import json_text, print_studies, studies_document
from jaxscale.results import StudyKey
from jaxscale.results.studies import name_of_objective
from jaxscale.store import load_studies, save_studies


@pytest.fixture(scope="module")
def tables():
    return three_tables()


@pytest.fixture(scope="module")
def found(tables):
    return js.studies(tables, [LAW, LACKING], replicates=REPLICATES, seed=7, budgets=[1e22, 1e24], level=0.8)


def test_every_study_is_that_of_a_call_of_its_own(tables, found):
    for table in ("books", "web"):
        alone = js.study(
            tables[table], LAW, replicates=REPLICATES, seed=7, budgets=[1e22, 1e24], level=0.8
        )  # fmt: skip
        assert_same(found[table, LAW, "huber"], alone)


def test_order_and_company_change_nothing(tables, found):
    names = ["web", "books"]
    other = js.studies({name: tables[name] for name in names}, [LAW], replicates=REPLICATES, seed=7, level=0.8,
                       budgets=[1e22, 1e24])  # fmt: skip
    assert [key.table for key in other] == names
    for key in other:
        assert_same(other[key], found[key])


@pytest.mark.slow
def test_laws_and_objectives_of_several_buckets_are_those_of_calls_of_their_own(separable_law_table):
    """Fits with several minima and bounds among them, in groups that several threads work on."""
    rows = np.arange(len(separable_law_table))
    parts = {f"{count}": separable_law_table.take(rows[:count], "cut off") for count in (240, 60, 50, 230, 55)}
    asked = {"objectives": ["huber", "squared"], "replicates": 64}
    both = js.studies(parts, ["chinchilla", "kaplan"], **asked)
    assert len(both.found) == len(both) == 20
    for key in both:
        assert_same(both[key], js.study(parts[key.table], key.law, objective=key.objective, replicates=64))


def test_one_that_is_refused_says_why_and_stops_no_other(found):
    assert len(found) == 6
    assert found.counts == {"refused": 4, "converged": 2}
    assert set(found.failed) == {key for key in found if key.law == LACKING or key.table == "short"}
    assert "unknown input of law 'data-constrained'" in found.failed[StudyKey("books", LACKING, "huber")]
    assert "1 run for 2 free coefs" in found.failed[StudyKey("short", LAW, "huber")]
    assert not found.is_trustworthy
    with pytest.raises(UsageError, match="unknown input"):
        found["books", LACKING, "huber"]
    with pytest.raises(UsageError, match="Did you mean 'books'"):
        found["book", LAW, "huber"]


def test_the_frame_has_a_row_for_each_and_the_numbers_of_its_study(found):
    frame, study = found.to_frame(), found["web", LAW, "huber"]
    assert frame.index.tolist() == [tuple(key) for key in found]
    row, limits = frame.loc["web", LAW, "huber"], study.coef_band("alpha")
    assert (row["alpha"], row["alpha_low"], row["alpha_high"]) == (
        study.fit.coefs["alpha"], limits.lower, limits.upper,
    )  # fmt: skip
    assert (row["flops"], row["loss"]) == (1e24, study.frontier.point.loss[1])
    assert row["loss_low"] < row["loss"] < row["loss_high"]
    assert frame.loc["short", LAW, "huber"]["reason"] == found.failed[StudyKey("short", LAW, "huber")]


def test_progress_counts_studies(tables):
    told = []
    js.studies(
        tables,
        [LACKING],
        replicates=0,
        on_stage=lambda *words: told.append(words),
        on_done=lambda count: told.append(count),
    )
    assert told == [("Studies", 3), 1, 1, 1]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"laws": ["chinchila"]}, "Did you mean 'chinchilla'"),
        ({"laws": []}, "laws: name at least one"),
        ({"laws": [LAW, LAW]}, "laws: 'pure-power' is given twice"),
        ({"objectives": ["hubr"]}, "Did you mean 'huber'"),
        ({"objectives": ["huber", js.huber(1e-3)]}, "'huber' is given twice"),
        ({"spaces": ["logs"]}, "Did you mean 'log'"),
        ({"spaces": ["log", "log"]}, "given twice"),
        ({"replicates": -1}, "replicates = -1"),
        ({"at": {"unique_token": 1e9}, "laws": [LACKING]}, "Did you mean 'unique_tokens'"),
        ({"scheme": "jackknife"}, "jackknife"),
        ({"level": 2.0}, "level"),
    ],
)
def test_what_is_impossible_is_refused_before_any_fit(tables, asked, said):
    with pytest.raises(UsageError, match=said):
        js.studies(tables, **{"laws": [LAW], **asked})


def test_tables_are_named_by_their_files_and_what_is_no_table_is_refused(tables):
    first, second = (replace(one, origin=replace(one.origin, source=source)) for one, source in (
        (tables["books"], "/data/books.csv"), (tables["web"], "books.parquet")))  # fmt: skip
    made = js.studies([first, second, tables["short"]], [LACKING], replicates=0)
    assert made.tables == ("books", "books-2", "table")
    with pytest.raises(UsageError, match="tables: name at least one"):
        js.studies([])
    with pytest.raises(UsageError, match="not str"):
        js.studies("books.csv")


def test_objectives_are_told_apart_by_what_is_not_usual(tables):
    names = [js.huber(), js.huber(0.01), js.huber(space="linear"), js.student_t(6.0), js.huber(0.1, space="linear")]
    told = ["huber", "huber(0.01)", "huber linear", "student-t(6)", "huber(0.1) linear"]
    assert [name_of_objective(one) for one in names] == told
    made = js.studies(tables, [LACKING], objectives=["huber", "squared"], spaces=["log", "linear"], replicates=0)
    assert made.objectives == ("huber", "huber linear", "squared", "squared linear")


def test_a_table_is_split_by_its_groups(tables):
    both = [tables["books"], tables["web"]]
    columns = {name: np.concatenate([one.columns[name] for one in both]) for name in ("flops",)}
    loss, names = np.concatenate([one.loss for one in both]), np.repeat(["books", "web"], [20, 18])
    shuffled = np.random.default_rng(3).permutation(38)
    whole = js.Runs.from_arrays(flops=columns["flops"][shuffled], loss=loss[shuffled], group=names[shuffled])
    parts = js.studying.by_groups(whole)
    assert {name: np.sort(part.loss).tolist() for name, part in parts.items()} == {
        name: np.sort(tables[name].loss).tolist() for name in ("books", "web")
    }
    assert all(part.group is None for part in parts.values())
    with pytest.raises(RunsError, match="no groups"):
        js.studying.by_groups(tables["books"])


def test_they_come_back_from_their_folders_to_the_bit(tmp_path, found):
    folder = save_studies(tmp_path / "all", found)
    assert sorted(path.name for path in folder.iterdir()) == [
        "books-pure-power-huber",
        "studies.json",
        "web-pure-power-huber",
    ]
    again = load_studies(folder)
    assert (list(again), again.failed, again.counts) == (list(found), found.failed, found.counts)
    for key in found.found:
        assert_same(again[key], found[key])
        assert_same(js.load(folder / f"{key.table}-pure-power-huber"), found[key])
    with pytest.raises(StoreError, match="not empty"):
        save_studies(folder, found)
    save_studies(folder, found, force=True)
    text = (folder / "studies.json").read_text()
    (folder / "studies.json").write_text(text.replace('"seed": 7', '"seed": 8'))
    with pytest.raises(StoreError, match="SHA-256"):
        load_studies(folder)
    with pytest.raises(StoreError, match=r"no list of studies"):
        load_studies(tmp_path)


def test_names_that_no_folder_may_have_are_told_apart(tmp_path, found):
    odd = {"a/b": "books", "a:b": "books", "..": "web"}
    keys = {StudyKey(name, LAW, "huber"): found[table, LAW, "huber"] for name, table in odd.items()}
    named = replace(found, tables=tuple(odd), laws=(LAW,), found=keys, failed={})
    folder = save_studies(tmp_path / "odd", named)
    assert sorted(path.name for path in folder.iterdir() if path.is_dir()) == [
        "a-b-pure-power-huber", "a-b-pure-power-huber-2", "pure-power-huber",
    ]  # fmt: skip
    assert list(load_studies(folder)) == list(named)


def page_of(found, width=80):
    console = Console(file=StringIO(), width=width)
    print_studies(found, console, width=width)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [80, 120])
def test_the_page_fits_and_says_what_the_document_says(found, width):
    page, document = page_of(found, width), json.loads(json_text(studies_document(found)))
    assert max(map(len, page.splitlines())) <= width
    assert "4 refused, 2 converged" in page
    assert "unknown input" in page
    assert document["counts"] == {"refused": 4, "converged": 2}
    assert [one["status"] for one in document["studies"]] == [found.status(key) for key in found]
    for key, one in zip(found, document["studies"], strict=True):
        assert (one["table"], one["law"], one["objective"]) == key
        assert (one["study"] is None) == (one["reason"] != "")
        assert one["study"] is None or one["study"]["coefs"] == dict(found[key].fit.coefs)


def test_a_page_of_hundreds_lists_some_and_counts_the_rest(found):
    study = found["books", LAW, "huber"]
    names = tuple(f"table-{place}" for place in range(100))
    many = replace(found, tables=names, laws=(LAW,), failed={},
                   found={StudyKey(name, LAW, "huber"): study for name in names})  # fmt: skip
    page = page_of(many)
    assert len(page.splitlines()) < 60
    assert "60 more" in page
    assert "100 tables × 1 law × 1 objective" in many.summary()
