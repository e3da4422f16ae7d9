"""Findings: each remark about numbers that look odd, and silence where nothing does."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from jaxscale.runs import Runs

PARAMS = np.array([1e8, 2e8, 4e8, 8e8])
TOKENS = 20 * PARAMS
LOSS = np.array([3.5, 3.2, 3.0, 2.9])


def runs(**columns):
    return Runs.from_arrays(**{"params": PARAMS, "tokens": TOKENS, "loss": LOSS, **columns})


def found(table):
    return {finding.code: finding for finding in table.check()}


def test_an_ordinary_table_has_no_findings():
    assert runs(run=["a", "b", "c", "d"], flops=6 * PARAMS * TOKENS).check() == ()


def test_copies_of_a_run_are_counted():
    table = Runs.from_arrays(params=[1e8, 1e8, 2e8], tokens=[2e9, 2e9, 2e9], loss=[3.0, 3.0, 3.0])
    assert set(found(table)) == {"duplicate-runs"}
    assert found(table)["duplicate-runs"].rows == (2,)
    assert "1 row " in found(table)["duplicate-runs"].message


def test_the_same_run_with_another_loss_is_a_repeated_seed():
    table = Runs.from_arrays(params=[1e8, 1e8, 2e8], tokens=[2e9, 2e9, 2e9], loss=[3.0, 3.1, 3.0])
    assert set(found(table)) == {"repeated-seeds"}
    assert found(table)["repeated-seeds"].rows == (1, 2)
    assert "--" not in found(table)["repeated-seeds"].message


def test_the_advice_for_repeated_seeds_names_a_column_that_groups_them():
    sizes = np.array([1e8, 1e8, 2e8, 3e8, 4e8, 5e8])
    columns = {"params": sizes, "tokens": np.full(6, 2e9), "loss": [3.0, 3.1, 3.0, 2.9, 2.8, 2.7]}
    shared = Runs.from_arrays(**columns, **{"experiment id": list("aabcde")})
    apart = Runs.from_arrays(**columns, **{"experiment id": ["a-s0", "a-s1", *"bcde"]})
    few = Runs.from_arrays(**columns, **{"experiment id": list("aabbcc")})
    assert found(shared)["repeated-seeds"].message.endswith("--scheme cluster --group 'experiment id'")
    for table in (apart, few):
        assert "--" not in found(table)["repeated-seeds"].message


def test_runs_on_different_corpora_are_no_repeated_seeds():
    columns = {"params": [1e8] * 4, "tokens": [2e9, 4e9] * 2, "loss": LOSS}
    assert "repeated-seeds" in found(Runs.from_arrays(**columns))
    assert not Runs.from_arrays(**columns, corpus=["c4", "c4", "pile", "pile"]).check()


def checkpoints(runs_of_it, **others):
    """A table of runs of three checkpoints each, of falling loss."""
    count = 3 * runs_of_it
    params = np.repeat(1e8 * np.arange(1, runs_of_it + 1), 3)
    tokens = np.outer(np.linspace(1.0, 2.0, runs_of_it), [1e9, 2e9, 3e9]).ravel()
    name = np.repeat([f"r{number}" for number in range(runs_of_it)], 3)
    loss = 4.0 - 0.01 * np.arange(count)
    return Runs.from_arrays(**{"params": params, "tokens": tokens, "loss": loss, "run": name, **others})


@pytest.mark.parametrize(
    ("count", "coefs", "has_own", "words", "absent"),
    [
        (6, 5, False, ("18 rows", "6 runs", "--scheme cluster --group run", "--final"), ()),
        (5, 5, False, ("--scheme cluster --group run",), ("--final",)),
        (4, 3, False, ("--final",), ("--scheme",)),
        (6, 5, True, ("--final",), ("--scheme",)),
        (4, 5, False, ("there are 4 runs", "takes 5", "fit the last row of each 6"), ("--",)),
    ],
)
def test_checkpoints_are_not_independent_and_the_advice_is_what_so_many_runs_allow(
    count, coefs, has_own, words, absent
):
    (told,) = (one for one in checkpoints(count).check(coefs=coefs, has_own=has_own) if one.code == "trajectory-rows")
    assert all(word in told.message for word in words)
    assert not any(word in told.message for word in absent)


def test_the_last_rows_are_not_advised_where_all_runs_end_at_the_same_tokens():
    runs = checkpoints(8, tokens=np.tile([1e9, 2e9, 3e9], 8))
    told = found(runs)["trajectory-rows"].message
    assert "--scheme cluster --group run" in told
    assert "--final" not in told
    of_params = {one.code: one.message for one in runs.check(("params",), coefs=3)}
    assert "--final" in of_params["trajectory-rows"]  # a law of params alone can be fitted to them


def test_planned_tokens_beside_steps_are_no_seeds_and_the_last_row_alone_has_seen_them():
    tokens, step = np.repeat(1e9 * np.arange(1, 8), 3), np.tile([100, 200, 300], 7)
    remarks = found(checkpoints(7, tokens=tokens, step=step))
    assert "repeated-seeds" not in remarks
    told = remarks["trajectory-rows"].message
    assert "tokens are the same at every 'step'" in told
    assert "--final" in told
    assert "--scheme" not in told


def test_a_label_that_is_followed_from_step_to_step_names_runs_whatever_its_header():
    names = np.repeat([f"e{number}" for number in range(6)], 3)
    given = {name: checkpoints(6)[name] for name in ("params", "tokens", "loss")}
    followed = Runs.from_arrays(**given, experiment=names, step=np.tile([100, 200, 300], 6))
    told = found(followed)["trajectory-rows"].message
    assert "--scheme cluster --group experiment" in told
    assert "--group experiment --final" in told
    corpora = Runs.from_arrays(**given, corpus=["c4", "pile", "c4"] * 6, step=np.tile([100, 200, 300], 6))
    assert "trajectory-rows" not in found(corpora)


def test_a_run_column_of_numbers_is_recognised_too():
    table = Runs.from_arrays(
        params=np.repeat(PARAMS[:2], 3),
        tokens=np.tile([1e9, 2e9, 3e9], 2),
        loss=np.arange(6, 0, -1),
        run_id=[1, 1, 1, 2, 2, 2],
    )
    assert "column 'run_id'" in found(table)["trajectory-rows"].message


def test_a_step_that_a_run_has_twice_is_superseded_by_the_later_row_and_is_no_seed():
    tokens = 1e9 * np.array([1, 2, 3, 2, *range(5, 19)])
    table = checkpoints(6, run=["a", "a", "a", "a", *"b" * 14], params=[1e8] * 18, tokens=tokens)
    assert "repeated-seeds" not in found(table)
    told = found(table)["overlapping-rows"]
    assert told.rows == (2,)
    assert '--where "row != 2"' in told.message
    assert not {"overlapping-rows", "repeated-seeds"} & set(found(table.where("row != 2")))


def test_seeds_under_the_name_of_one_run_are_no_restart():
    columns = {
        "params": [1e8] * 6,
        "tokens": [1e9, 2e9, 3e9] * 2,
        "loss": [3, 2.9, 2.8, 3.1, 2.95, 2.85],
        "run": ["a"] * 6,
    }
    assert "overlapping-rows" in found(Runs.from_arrays(**columns))
    seeded = found(Runs.from_arrays(**columns, seed=[0, 0, 0, 1, 1, 1]))
    assert "overlapping-rows" not in seeded
    assert "repeated-seeds" in seeded


def test_losses_on_several_sets_at_one_step_are_no_restart():
    columns = {
        "params": [1e8] * 6,
        "tokens": [1e9, 2e9, 3e9] * 2,
        "loss": [3, 2.9, 2.8, 3.1, 2.95, 2.85],
        "run": ["a"] * 6,
    }
    assert "overlapping-rows" not in found(Runs.from_arrays(**columns, corpus=["c4"] * 3 + ["pile"] * 3))


@pytest.mark.parametrize(
    ("factor", "is_odd"), [(1.0, False), (1.015, False), (0.986, False), (1.02, True), (0.98, True), (0.5, True)]
)
def test_flops_further_than_rounding_from_six_params_tokens_are_remarked_upon(factor, is_odd):
    flops = 6 * PARAMS * TOKENS * np.array([1, 1, 1, factor])
    table = runs(flops=flops)
    assert ("flops-mismatch" in found(table)) is is_odd
    if is_odd:
        assert found(table)["flops-mismatch"].rows == (4,)
        assert f"{factor:.3g}" in found(table)["flops-mismatch"].message
    np.testing.assert_array_equal(table["flops"], flops)  # remarked upon, never "fixed"


def test_numbers_of_three_digits_agree_with_each_other():
    random = np.random.default_rng(3)
    params, tokens = 10 ** random.uniform(7, 10, 500), 10 ** random.uniform(9, 12, 500)
    exact = {"params": params, "tokens": tokens, "flops": 6 * params * tokens}
    rounded = {name: [float(f"{value:.2e}") for value in column] for name, column in exact.items()}
    assert "flops-mismatch" not in found(Runs.from_arrays(loss=np.ones(500), **rounded))


def test_the_range_and_the_median_of_the_ratio_are_told_and_what_to_do():
    message = found(runs(flops=6 * PARAMS * TOKENS * np.array([1, 0.5, 2, 1.25])))["flops-mismatch"].message
    for words in ("in 3 rows", "0.5 to 2", "median 1.25", "--count all"):
        assert words in message
    assert "forward" not in message


def test_flops_of_the_forward_pass_alone_are_recognised():
    assert "forward pass alone" in found(runs(flops=2 * PARAMS * TOKENS))["flops-mismatch"].message


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"params": PARAMS / 1e6, "tokens": TOKENS}, "half of the params are below"),
        ({"params": PARAMS * 1e9, "tokens": TOKENS * 1e9}, "half of the params are above"),
        ({"params": PARAMS, "tokens": TOKENS / 1e9}, "fewer than 0.01 tokens per parameter"),
        ({"params": PARAMS / 1e6, "tokens": TOKENS}, "more than 1e+05 tokens per parameter"),
    ],
)
def test_counts_in_millions_or_billions_are_suspected(columns, words):
    assert words in found(runs(**columns))["units-suspect"].message


def test_integers_above_two_to_the_53_are_noted():
    assert found(runs(tokens=np.array([10**18, 2, 3, 10**18])))["large-integers"].rows == (1, 4)


row = st.tuples(
    st.sampled_from([1e8, 2e8]), st.sampled_from([2e9, 4e9, 8e9]), st.sampled_from([3.0, -1.0]), st.sampled_from("ab")
)


@settings(max_examples=60, deadline=None)
@given(st.lists(row, min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(rows, random):
    def told(order):
        params, tokens, loss, run = zip(*order, strict=True)
        findings = Runs.from_arrays(params=params, tokens=tokens, loss=loss, run=run).check()
        assume(not any(finding.code == "overlapping-rows" for finding in findings))  # later is of the order
        told = {"duplicate-runs": slice(3)}  # which of two copies is the earlier is of the order, too
        kept = {finding.code: told.get(finding.code, slice(None)) for finding in findings}
        return [(one.code, one.message, sorted(order[row - 1][kept[one.code]] for row in one.rows)) for one in findings]

    shuffled = rows.copy()
    random.shuffle(shuffled)
    assert told(rows) == told(shuffled)


@settings(max_examples=60, deadline=None)
@given(st.lists(row, min_size=1, max_size=12))
def test_a_code_is_found_once_and_its_rows_exist(rows):
    params, tokens, loss, run = zip(*rows, strict=True)
    findings = Runs.from_arrays(params=params, tokens=tokens, loss=loss, run=run).check()
    assert len({finding.code for finding in findings}) == len(findings)
    assert all(1 <= row <= len(rows) for finding in findings for row in finding.rows)
    assert all(len(finding.message.splitlines()) == 1 for finding in findings)


def test_runs_that_differ_in_another_input_of_the_law_are_no_seeds():
    """The same size on the same tokens, of which fewer are fresh."""
    table = runs(unique_tokens=[1e8, 2e8, 4e8, 8e8], params=[1e8] * 4, tokens=[1e9] * 4, loss=[3.3, 3.2, 3.1, 3.0])
    assert [one.code for one in table.check()] == ["repeated-seeds"]
    assert table.check(("params", "tokens", "unique_tokens")) == ()
