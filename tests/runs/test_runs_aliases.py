"""Params of one kind, active or without embeddings: asked about beside others, unless the table or the law says it."""

import numpy as np
import pytest

from jaxscale.counting import recount
from jaxscale.errors import RunsError
from jaxscale.runs.aliases import is_qualified

SMALL, LARGE, TOKENS, LOSSES = (2e8, 4e8, 9e8), (1.6e9, 3.2e9, 7.2e9), (4e9, 8e9, 2e10), (3.2, 3.0, 2.8)


def table(first, second, **columns):
    """The text of a table with two counts of params, the first the smaller one."""
    columns = {first: SMALL, second: LARGE, "tokens": TOKENS, **columns, "loss": LOSSES}
    rows = zip(*columns.values(), strict=True)
    return "\n".join([",".join(columns), *(",".join(f"{cell:g}" for cell in row) for row in rows)]) + "\n"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("active_params", "total_params"),
        ("n_params_non_embedding", "n_params"),
        ("non-emb params", "num_params"),
        ("Params (excluding embedding)", "Parameters"),
        ("params without embeddings", "model_size"),
        ("N_active", "N"),
        ("sparse_params", "dense_params"),
        ("config.n_params_nonembedding", "config.n_params"),
        ("params (active)", "params (total)"),
        ("active params (M)", "total params (M)"),
    ],
)
def test_two_counts_of_params_raise_a_question_that_names_both_and_says_how_to_take_either(read, first, second):
    with pytest.raises(RunsError, match="could both be params") as refused:
        read(table(first, second))
    message = str(refused.value)
    for header, values in ((first, SMALL), (second, LARGE)):
        told = header if header.replace("_", "").replace(".", "").replace("-", "").isalnum() else f"'{header}'"
        assert f"'{header}'" in message
        assert f"--map params={told}" in message
        np.testing.assert_array_equal(read(table(first, second), map={"params": header})["params"], values)


@pytest.mark.parametrize("other", ["params_non_embedding", "active_params", "params_excl_emb"])
def test_a_column_called_params_is_meant_before_params_of_one_kind(read, other):
    assert read(table(other, "params")).origin.columns["params"] == "params"


@pytest.mark.parametrize("other", ["embedding_params", "n_dense", "active_experts", "total_steps", "n_layers"])
def test_a_part_of_the_params_and_other_counts_are_no_rivals(read, other):
    assert read(table(other, "n_params")).origin.columns["params"] == "n_params"


def test_params_of_one_kind_with_the_same_numbers_are_no_rivals(read):
    text = table("seeds", "n_params", params_active=LARGE)
    assert read(text).origin.columns["params"] == "n_params"


def test_a_column_that_is_another_input_is_no_rival(read):
    text = table("params_non_vocabulary", "n_params")
    with pytest.raises(RunsError, match="could both be params"):
        read(text)
    runs = read(text, inputs=("params", "params_non_vocabulary", "tokens"))
    assert runs.origin.columns["params"] == "n_params"
    runs = read(table("active_params", "n_params"), beside=("params_active",), map={"params_active": "active_params"})
    assert runs.origin.columns["params"] == "n_params"


def test_inputs_that_rest_on_no_params_raise_no_question(read):
    runs = read(table("active_params", "total_params", flops=(1e18, 2e18, 3e18)), inputs=("flops",))
    np.testing.assert_array_equal(runs["flops"], [1e18, 2e18, 3e18])


def test_the_count_that_was_not_taken_is_there_for_a_convention(read):
    runs = read(table("active_params", "total_params"), map={"params": "total_params"})
    np.testing.assert_array_equal(recount(runs, "active")["params"], SMALL)
    runs = read(table("params_non_embedding", "n_params"), map={"params": "n_params"})
    np.testing.assert_array_equal(recount(runs, "nonembedding")["params"], SMALL)


@pytest.mark.parametrize("header", ["params", "n_params", "loss", "tokens", "total_tokens", "total_loss", "n", ""])
def test_a_name_without_a_kind_is_not_qualified(header):
    assert not is_qualified(header)
