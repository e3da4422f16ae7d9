"""Tables counted another way: what moves, what stays, and which tables can be counted how."""

import re
from dataclasses import replace

import numpy as np
import pytest

from jaxscale.counting import (
    CONVENTIONS,
    WORDS,
    Architecture,
    chinchilla_flops,
    countable,
    kaplan_flops,
    palm_flops_per_token,
    recount,
    uncountable,
)
from jaxscale.errors import RunsError, UsageError
from jaxscale.runs import Runs, read_runs

LAYERS, WIDTH, HEADS = np.array([4, 8, 12]), np.array([256, 512, 768]), np.array([4, 8, 12])
SHAPE = Architecture(LAYERS, WIDTH, HEADS, vocabulary=32000, context=1024)
TOKENS, LOSS = np.array([1e9, 3e9, 1e10]), np.array([4.0, 3.5, 3.0])
SHAPES = {"n_layers": LAYERS, "d_model": WIDTH, "n_heads": HEADS, "vocab_size": [32000] * 3, "n_ctx": [1024] * 3}


def table(**columns):
    return Runs.from_arrays(**{"params": SHAPE.params(), "tokens": TOKENS, "loss": LOSS, **SHAPES, **columns})


def test_a_recounted_table_has_the_flops_of_the_counter():
    expected = {
        "6nd": 6 * SHAPE.params() * TOKENS,
        "total": 6 * SHAPE.params() * TOKENS,
        "nonembedding": 6 * SHAPE.params("nonembedding") * TOKENS,
        "nonembedding+head": 6 * SHAPE.params("nonembedding+head") * TOKENS,
        "kaplan": kaplan_flops(SHAPE, TOKENS),
        "chinchilla": chinchilla_flops(SHAPE, TOKENS),
        "chinchilla-layers": chinchilla_flops(SHAPE, TOKENS, embedding=False, head=False),
        "palm": palm_flops_per_token(SHAPE.params(), SHAPE) * TOKENS,
    }
    for name, flops in expected.items():
        np.testing.assert_allclose(recount(table(), name)["flops"], flops, rtol=1e-14, err_msg=name)


@pytest.mark.parametrize("name", [one.name for one in CONVENTIONS if one.counted is not None])
def test_only_what_a_convention_says_is_changed_and_6nd_holds_for_what_it_derives(name):
    runs = table(flops=7 * SHAPE.params() * TOKENS, active_params=SHAPE.params() / 2)
    other = recount(runs, name)
    derived = dict(CONVENTIONS.resolve(name).derived)
    for role in ("params", "tokens", "flops"):
        if role not in derived:
            np.testing.assert_array_equal(other[role], runs[role])
            assert role in other.origin.columns
    assert other.origin.derived == derived
    assert not set(derived) & set(other.origin.columns)
    if derived:
        np.testing.assert_allclose(other["flops"], 6 * other["params"] * other["tokens"], rtol=1e-14)
    np.testing.assert_array_equal(other.loss, runs.loss)


def test_measured_is_the_table_itself():
    runs = table()
    assert recount(runs, "measured") is runs


def test_tokens_per_param_move_along():
    runs = table(tokens_per_param=np.round(TOKENS / SHAPE.params()))
    moved = recount(runs, "nonembedding")["tokens_per_param"] / runs["tokens_per_param"]
    np.testing.assert_allclose(moved, SHAPE.params() / SHAPE.params("nonembedding"), rtol=1e-14)


def test_a_table_without_shapes_can_be_counted_by_its_own_numbers_only():
    bare = Runs.from_arrays(params=[1e8, 2e8], tokens=[1e9, 2e9], loss=[3.0, 2.9])
    assert [one.name for one in countable(bare)] == ["measured", "6nd"]
    measured = Runs.from_arrays(params=[1e8, 2e8], tokens=[1e9, 2e9], flops=[1e18, 2e18], loss=[3.0, 2.9])
    assert [one.name for one in countable(measured)] == ["measured", "6nd", "measured-tokens", "measured-params"]
    assert set(uncountable(bare)) | {"measured", "6nd"} == {one.name for one in CONVENTIONS if one.counted}


def test_a_refusal_says_which_columns_are_needed_and_which_are_there():
    bare = Runs.from_arrays(params=[1e8, 2e8], tokens=[1e9, 2e9], loss=[3.0, 2.9])
    with pytest.raises(RunsError, match=r"'palm' needs layers; width; context\.\nThe table has params, tokens"):
        recount(bare, "palm")
    with pytest.raises(RunsError, match="or layers and width"):
        recount(bare, "nonembedding")
    with pytest.raises(RunsError, match="measured, not 6 params tokens"):
        recount(bare, "measured-params")


def test_columns_of_a_count_can_be_named_by_hand(tmp_path):
    """A size with the embeddings under a name that cannot be guessed, beside one without."""
    (tmp_path / "t.csv").write_text("N,D,L,big\n1e8,1e9,3.0,1.5e8\n2e8,2e9,2.9,2.6e8\n", encoding="utf-8")
    assert "total" in uncountable(read_runs(tmp_path / "t.csv"))
    runs = read_runs(tmp_path / "t.csv", map={"params_total": "big"}, beside=WORDS)
    assert runs.origin.columns["params_total"] == "big"
    np.testing.assert_array_equal(recount(runs, "total")["params"], [1.5e8, 2.6e8])
    with pytest.raises(UsageError, match=r"unknown role 'params_totl'.*Did you mean 'params_total'"):
        read_runs(tmp_path / "t.csv", map={"params_totl": "big"}, beside=WORDS)


def test_a_role_without_numbers_counts_nothing():
    runs = Runs.from_arrays(params=[1e8, 2e8], tokens=[1e9, 2e9], flops=[1e18, 2e18], loss=[3.0, 2.9])
    gap = replace(runs, columns={**runs.columns, "params": np.array([1e8, np.nan])})
    with pytest.raises(RunsError, match="'6nd' needs a positive number in column 'params', row 2"):
        recount(gap, "6nd")
    with pytest.raises(RunsError, match="by the convention '6nd' flops leave the range"):
        recount(replace(runs, columns={**runs.columns, "params": np.array([1e8, 1e300])}), "6nd")


@pytest.mark.parametrize("name", ["inference", "precision", "palm-hardware"])
def test_a_count_that_is_not_of_training_counts_no_table(name):
    with pytest.raises(UsageError, match="does not count the training"):
        recount(table(), name)


def test_an_unknown_convention_is_answered_with_the_nearest():
    with pytest.raises(UsageError, match="Did you mean 'kaplan'"):
        recount(table(), "caplan")


def test_a_shape_that_cannot_be_used_is_named_only_where_it_is_needed():
    runs = table(d_model=[256, -1, 768])
    assert recount(runs, "6nd")["flops"].shape == (3,)
    with pytest.raises(RunsError, match=re.escape("a positive number in column 'd_model', row 2")):
        recount(runs, "kaplan")
    with pytest.raises(RunsError, match="one column for width and not 'd_model' and 'hidden_size'"):
        recount(table(hidden_size=WIDTH), "kaplan")


def test_params_beside_a_smaller_nonembedding_are_the_total(gadre):
    np.testing.assert_array_equal(recount(gadre, "total")["params"], gadre["params"])
    np.testing.assert_array_equal(recount(gadre, "nonembedding")["params"], gadre["params_non_embedding"])
    assert "vocabulary" in uncountable(gadre)["nonembedding+head"]


@pytest.mark.parametrize(
    ("experiment", "convention"),
    [
        ("rw_base_long_kaplan_kaplan_train", "nonembedding"),
        ("rw_base_long_kaplan_standard_val", "nonembedding+head"),
        ("rw_base_long_kaplan_attention_train", "attention"),
    ],
)
def test_each_count_of_porian_is_a_convention(porian, with_shapes, experiment, convention):
    """Their table has the size as flops per token over 6, under three conventions; so has each of ours."""
    plain = with_shapes(experiment)
    own = porian.where(f"experiment == '{experiment}'")
    for name in (convention, "measured-params"):
        np.testing.assert_allclose(recount(plain, name)["params"], own["params"], rtol=1e-12)
    np.testing.assert_allclose(recount(plain, convention)["flops"], own["flops"], rtol=1e-12)


def test_the_ratio_of_porians_flops_to_those_of_the_layers_is_remarked_upon(with_shapes):
    """The head makes the smallest network 5173248 / 331776 = 15.6 times as expensive, and the largest 1.09 times."""
    runs = with_shapes("rw_base_long_kaplan_standard_val")
    (found,) = [finding for finding in runs.check() if finding.code == "flops-mismatch"]
    assert "in 131 rows: the ratio there is 1.09 to 15.6" in found.message


def test_a_table_whose_flops_are_six_params_tokens_is_the_same_by_either(shared_data):
    runs = read_runs(shared_data / "epoch_chinchilla.csv")
    for name in ("6nd", "measured-tokens", "measured-params"):
        for role in ("params", "tokens", "flops"):
            np.testing.assert_allclose(recount(runs, name)[role], runs[role], rtol=1e-12)
