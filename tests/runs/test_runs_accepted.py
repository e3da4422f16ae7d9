"""Tables that look unusual and are read all the same, with what is noted about them."""

import re

import numpy as np
import pytest

from jaxscale.errors import RunsError

GOOD = "params,tokens,loss\n1e8,2e9,3.5\n2e8,4e9,3.2\n4e8,8e9,3.0\n"


def codes(runs):
    return [finding.code for finding in runs.check()]


@pytest.mark.parametrize(
    ("content", "options"),
    [
        pytest.param(GOOD.replace("\n", "\r\n"), {}, id="crlf"),
        pytest.param(GOOD.replace("\n", "\r"), {}, id="cr"),
        pytest.param(GOOD.rstrip("\n"), {}, id="no-final-newline"),
        pytest.param("\n" + GOOD.replace("\n", "\n\n"), {}, id="blank-lines"),
        pytest.param(GOOD.replace("\n", ",\n"), {}, id="trailing-separator"),
        pytest.param(GOOD.replace(",", " , "), {}, id="case-07-spaces"),
        pytest.param("\ufeff" + GOOD, {}, id="case-07-mark"),
        pytest.param("\ufeff" + GOOD.replace("params", '"params"'), {}, id="case-07-mark-before-quote"),
        pytest.param(GOOD.upper(), {}, id="case-07-case"),
        pytest.param(GOOD.encode("utf-16"), {"encoding": "utf-16"}, id="utf-16"),
        pytest.param(GOOD.replace(",", ";"), {"sep": ";"}, id="semicolon"),
        pytest.param(GOOD.replace(",", "\t"), {"sep": "tab"}, id="tab"),
        pytest.param(GOOD.replace(",", "   "), {"sep": " "}, id="spaces-as-separator"),
        pytest.param(GOOD.replace(",", ";").replace(".", ","), {"sep": ";", "decimal": ","}, id="decimal-comma"),
        pytest.param(GOOD.replace("1e8", '"100,000,000"'), {"thousands": ","}, id="case-11-thousands"),
        pytest.param(GOOD.replace("1e8", "100_000_000"), {"thousands": "_"}, id="case-11-underscores"),
        pytest.param(GOOD.replace("1e8", "100M").replace("4e9", "4B"), {"units": True}, id="case-12-units"),
        pytest.param("".join(f'"x\n{i}",' + line + "\n" for i, line in enumerate(GOOD.split())), {}, id="newlines"),
        pytest.param(GOOD.replace("params,tokens,loss", "Model Size,Training Tokens,val_loss"), {}, id="aliases"),
        pytest.param(GOOD.replace("params,tokens,loss", "N,D,L"), {}, id="letters"),
        pytest.param(GOOD.replace("params,tokens,loss", "n,d,l"), {}, id="small-letters"),
    ],
)
def test_an_unusual_table_gives_the_same_numbers(read, content, options):
    runs = read(content, **options)
    np.testing.assert_array_equal(runs["params"], [1e8, 2e8, 4e8])
    np.testing.assert_array_equal(runs["tokens"], [2e9, 4e9, 8e9])
    np.testing.assert_array_equal(runs["loss"], [3.5, 3.2, 3.0])
    np.testing.assert_array_equal(runs.weight, [1, 1, 1])
    np.testing.assert_array_equal(runs.row, [1, 2, 3])


def test_a_long_file_with_old_line_ends_is_not_taken_for_one_wide_header(read):
    assert len(read("N,D,L\r" + "1e8,2e9,3\r" * 5000)) == 5000


def test_cleaned_headers_are_noted_once(read):
    runs = read("\ufeffN, D ,L\n1e8,2e9,3\n")
    assert codes(runs).count("headers-cleaned") == 1


def test_every_recognised_alias_is_recorded(read):
    origin = read("Model Size,Training FLOP,val-loss\n1e8,1.2e18,3\n").origin
    assert origin.columns == {"params": "Model Size", "flops": "Training FLOP", "loss": "val-loss"}
    assert origin.derived == {"tokens": "flops / (6 params)"}


def test_an_index_column_without_a_name_is_called_after_its_place(read):
    runs = read(",N,D,L\n0,1e8,2e9,3\n1,2e8,2e9,2.9\n")
    np.testing.assert_array_equal(runs["column 1"], [0, 1])


def test_the_canonical_name_wins_over_an_alias(read):
    runs = read("params,N,tokens,loss\n1e8,7,2e9,3\n")
    assert runs["params"][0] == 1e8
    assert runs["N"][0] == 7


def test_a_mapped_column_wins_over_the_canonical_name_and_the_loser_is_named(read):
    runs = read("params,true_params,tokens,loss\n7,1e8,2e9,3\n", map={"params": "true_params"})
    assert runs["params"][0] == 1e8
    assert [f.code for f in runs.findings] == ["shadowed-column"]


@pytest.mark.parametrize(
    ("header", "derived", "value"),
    [("N,C,L", "tokens", 2e9), ("D,C,L", "params", 2e9), ("N,D,L", "flops", 6.48e27)],
)
def test_the_third_of_params_tokens_and_flops_is_derived(read, header, derived, value):
    runs = read(f"{header}\n3e8,3.6e18,3\n")  # 3.6e18 / (6 × 3e8) = 2e9, 6 × 3e8 × 3.6e18 = 6.48e27
    np.testing.assert_allclose(runs[derived], [value], rtol=1e-15)
    assert list(runs.origin.derived) == [derived]


def test_missing_values_are_dropped_and_counted_when_asked(read):
    runs = read("N,D,L\n1e8,2e9,3\n1e8,NaN,3\n1e8,2e9,inf\n1e8,,nan\n1e8,2e9,2.9\n", missing="drop")
    np.testing.assert_array_equal(runs.row, [1, 5])
    assert runs.origin.left_out == {"missing": 2, "infinite": 1}
    assert runs.origin.rows == 5
    assert [f.rows for f in runs.findings if f.code == "rows-dropped"] == [(2, 3, 4)]


def test_a_loss_at_or_below_zero_is_kept_with_a_finding_for_a_linear_objective(read):
    runs = read("N,D,L\n1e8,2e9,0\n1e8,3e9,-1\n1e8,4e9,1\n", positive_loss=False)
    assert [f.rows for f in runs.check() if f.code == "nonpositive-loss"] == [(1, 2)]


def test_columns_that_the_fit_does_not_need_never_refuse_a_table(read):
    runs = read("N,D,L,note,lr,best\n1e8,2e9,3,=HYPERLINK(),inf,\n2e8,3e9,2.9,\x1b[31m,0.1,0x1\n")
    assert runs.labels["note"].tolist() == ["=HYPERLINK()", "\x1b[31m"]
    assert np.isnan(runs["lr"][0])
    assert runs["lr"][1] == 0.1
    assert runs.labels["best"].tolist() == ["", "0x1"]


def test_an_unneeded_flops_column_with_bad_cells_is_remarked_upon(read):
    runs = read("N,D,C,L\n1e8,2e9,?,3\n1e8,2e9,1.2e18,3.1\n")
    assert np.isnan(runs["flops"][0])
    assert [f.rows for f in runs.findings if f.code == "unusable-cells"] == [(1,)]


def test_an_empty_flops_column_is_derived(read):
    runs = read("N,D,C,L\n1e8,2e9,,3\n1e8,4e9,,3.1\n")
    np.testing.assert_allclose(runs["flops"], [1.2e18, 2.4e18], rtol=1e-15)
    assert "flops" in runs.origin.derived


def test_integers_that_float64_cannot_hold_are_accepted_with_a_note(read):
    runs = read("N,D,L\n100000000,10000000000000000001,3\n")
    assert runs["tokens"][0] == 1e19
    assert [f.rows for f in runs.findings if f.code == "large-integers"] == [(1,)]


def test_a_product_that_overflows_int64_does_not_overflow(read):
    runs = read("N,D,L\n70000000000,1400000000000,1.9\n")
    np.testing.assert_allclose(runs["flops"], [5.88e23], rtol=1e-15)


def test_a_cell_of_a_megabyte_in_a_text_column_is_read(read):
    name = "x" * 1_000_000
    assert read(f"run,N,D,L\n{name},1e8,2e9,3\n").labels["run"][0] == name


def test_the_group_is_text_even_if_it_looks_like_numbers(read):
    runs = read("N,D,L,seed\n1e8,2e9,3,1\n1e8,2e9,3.1,01\n", group="seed")
    assert runs.group.tolist() == ["1", "01"]


def test_inputs_other_than_the_three_are_found_by_name_and_must_be_numbers(read):
    inputs = ("params", "tokens", "unique_tokens")
    assert read("N,D,L,Unique Tokens\n1,1,3,5\n", inputs=inputs)["unique_tokens"][0] == 5
    assert read("N,D,L,U\n1,1,3,5\n", inputs=inputs, map={"unique_tokens": "U"})["unique_tokens"][0] == 5
    with pytest.raises(RunsError, match=re.escape("'unique_tokens': row 1 (line 2) 'x'")):
        read("N,D,L,unique_tokens\n1,1,3,x\n", inputs=inputs)


def test_row_numbers_survive_a_selection(read):
    runs = read(GOOD, where=["loss < 3.3", "params > 2e8"])
    np.testing.assert_array_equal(runs.row, [3])
    assert runs.origin.where == ("loss < 3.3", "params > 2e8")
    assert runs.origin.left_out == {"where": 2}
    assert (len(runs), runs.used, runs.origin.rows) == (1, 1, 3)


def test_a_bad_cell_in_a_row_that_is_not_selected_does_not_matter(read):
    text = "N,D,L,status\n1e8,2e9,diverged,failed\n1e8,2e9,3,ok\n"
    assert len(read(text, where=["status == 'ok'"])) == 1
    with pytest.raises(RunsError, match="diverged"):
        read(text)
