"""Columns that a formula makes of others: --map loss="1 - acc"."""

import numpy as np
import pandas as pd
import pytest

from jaxscale.errors import RunsError, UsageError
from jaxscale.runs import Runs

HEADER = "params,steps,global_batch_size,seq_len,ppl,val acc,nll\n"
TEXT = HEADER + "1e8,1000,256,2048,20.0,0.25,3\n2e8,2000,256,2048,15.0,0.5,2.9\n"


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ("log(ppl)", np.log([20.0, 15.0])),
        ("1 - `val acc`", [0.75, 0.5]),
        ("nll*log(2)", np.array([3, 2.9]) * np.log(2)),
        ("-(-nll)**1", [3, 2.9]),
        ("max(nll, 2.95, ppl/7)", [3, 2.95]),
        ("pow(ppl, 0.5) + sqrt(ppl) + abs(-1)", 2 * np.sqrt([20.0, 15.0]) + 1),
        ("sigmoid(nll) + softplus(nll)", 1 / (1 + np.exp([-3, -2.9])) + np.log1p(np.exp([3, 2.9]))),
    ],
)
def test_a_loss_is_what_its_formula_says(read, formula, value):
    told = {"tokens": "steps*global_batch_size*seq_len", "loss": formula}
    runs = read(TEXT, map=told)
    np.testing.assert_allclose(runs.loss, value, rtol=1e-14)
    np.testing.assert_array_equal(runs["tokens"], [1000 * 256 * 2048, 2000 * 256 * 2048])
    assert runs.origin.derived == {**told, "flops": "6 params tokens"}
    assert runs.origin.columns == {"params": "params"}
    assert runs.findings == ()


def test_a_frame_takes_the_same_formulas_and_names_of_roles():
    frame = pd.DataFrame({"N": [1e8, 2e8], "D": [1e9, 2e9], "acc": [0.25, 0.5]})
    runs = Runs.from_frame(frame, map={"loss": "1 - acc", "flops": "8*params*tokens"})
    np.testing.assert_array_equal(runs.loss, [0.75, 0.5])
    np.testing.assert_array_equal(runs["flops"], 8 * runs["params"] * runs["tokens"])


def test_a_header_of_exactly_that_text_goes_before_a_formula(read):
    text = "params,tokens,1 - acc,acc\n1e8,1e9,0.7,0.1\n2e8,2e9,0.6,0.2\n"
    np.testing.assert_array_equal(read(text, map={"loss": "1 - acc"}).loss, [0.7, 0.6])
    np.testing.assert_array_equal(read(text, map={"loss": "1 - `acc`"}).loss, [0.9, 0.8])


def test_a_text_that_is_a_column_in_other_dress_and_a_formula_is_asked_about(read):
    text = "params,tokens,a_b,a,b\n1e8,1e9,.5,3,2\n2e8,2e9,.4,4,2\n"
    with pytest.raises(RunsError, match="--map loss=a_b for the column, --map loss='\\(a-b\\)' for the formula"):
        read(text, map={"loss": "a-b"})
    np.testing.assert_array_equal(read(text, map={"loss": "a_b"}).loss, [0.5, 0.4])
    np.testing.assert_array_equal(read(text, map={"loss": "(a-b)"}).loss, [1, 2])
    np.testing.assert_array_equal(read(text, map={"loss": "`a_b`"}).loss, [0.5, 0.4])


def test_a_standard_error_and_a_weight_may_be_made_of_columns(read):
    text = "params,tokens,loss,std,seeds\n1e8,1e9,3,0.2,4\n2e8,2e9,2.9,0.3,9\n"
    np.testing.assert_allclose(read(text, map={"sigma": "std / sqrt(seeds)"}).sigma, [0.1, 0.1])


def test_units_are_read_in_the_columns_of_a_formula(read):
    text = "size,tokens,loss,name\n100M,1B,3,7B\n2B,2B,2,8B\n"
    runs = read(text, map={"params": "size * 0.9"}, units=True)
    np.testing.assert_allclose(runs["params"], [9e7, 1.8e9])
    assert runs.labels["name"].tolist() == ["7B", "8B"]


def test_a_selection_sees_what_was_computed(read):
    assert read(TEXT, map={"tokens": "steps * 2", "loss": "log(ppl)"}, where=["loss < 2.8"]).row.tolist() == [2]


def test_a_row_without_a_number_in_a_source_is_missing(read):
    text = "params,tokens,acc\n1e8,1e9,.3\n1e8,2e9,\n1e8,3e9,.4\n"
    with pytest.raises(RunsError, match=r"column 'acc' \(loss\): row 2 \(line 3\) '' is missing"):
        read(text, map={"loss": "1 - acc"})
    assert read(text, map={"loss": "1 - acc"}, missing="drop").row.tolist() == [1, 3]
    unreadable = text.replace("1e8,2e9,", "1e8,2e9,high")
    for missing in ("refuse", "drop"):
        with pytest.raises(RunsError, match=r"column 'acc' \(loss\): row 2 \(line 3\) 'high' is not a number"):
            read(unreadable, map={"loss": "1 - acc"}, missing=missing)


@pytest.mark.parametrize("formula", ["log(x)", "1/(x+3)", "exp(1000 - x)"])
def test_a_formula_that_gives_no_number_is_refused_by_row(read, formula):
    text = "params,tokens,x\n1e8,1e9,800\n1e8,2e9,-3\n"
    with pytest.raises(RunsError, match=r"is no finite number in row 2 \(line 3\)"):
        read(text, map={"loss": formula})


@pytest.mark.parametrize(
    ("formula", "what", "place"),
    [
        ("1 - ac", "unknown column 'ac'. Did you mean 'acc'", 4),
        ("ln(acc)", "'ln' is no function here", 0),
        ("acc.mean()", "nothing has parts", 3),
        ("1 - acc if acc else 2", "'if' is a word of Python", 8),
        ("__import__('os')", "a name begins with a letter", 0),
        ("loss = 1 - acc", "write only what loss is equal to", 5),
        ("1 - (acc", "this cannot be read; write it like 1 - acc", 4),
        ("1 + 1", "takes no column", 0),
        ("acc ** 1000", "is out of range", 7),
        ("(lambda: 1)()", "'lambda' is a word of Python", 1),
        ("1 − acc", "write '-' in place of '−'", 2),
    ],
)
def test_a_formula_that_cannot_be_read_is_refused_with_a_caret(read, formula, what, place):
    with pytest.raises(UsageError) as refused:
        read("params,tokens,acc\n1e8,1e9,.3\n", map={"loss": formula})
    said, shown, caret = str(refused.value).splitlines()
    assert said.startswith("--map loss: ")
    assert what in said
    assert shown.strip() == formula
    assert caret.index("^") - 2 == place


def test_a_misspelt_header_with_a_dash_is_answered_with_the_one_that_is_near(read):
    with pytest.raises(RunsError, match=r"--map loss='eval-los' names no column; .* Nearest: 'eval-loss'"):
        read("params,tokens,eval-loss\n1e8,1e9,3\n", map={"loss": "eval-los"})


def test_a_group_is_a_column_and_no_formula(read):
    with pytest.raises(RunsError, match="--group 'a \\+ b' names no column"):
        read("params,tokens,loss,a,b\n1e8,1e9,3,1,2\n", group="a + b")
