"""Which column is in which unit: each usual unit is named, with what to type, and good tables are left alone."""

import numpy as np
import pytest
from tables_in_units import design, losses, told

from jaxscale.errors import RunsError, UsageError
from jaxscale.runs import Runs, read_runs

COUNTS = {1e3: "thousands", 1e6: "millions", 1e9: "billions", 1e12: "trillions"}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("factor", [1e6, 1e9])
@pytest.mark.parametrize("role", ["params", "tokens"])
def test_one_column_in_millions_or_billions_is_the_culprit_by_itself(role, factor, seed):
    random = np.random.default_rng(seed)
    params, tokens = design(random)
    columns = {"params": params, "tokens": tokens, "loss": losses(params, tokens, random)}
    columns[role] = columns[role] / factor
    for measured in ({}, {"flops": 6 * params * tokens}):
        message = told(Runs.from_arrays(**columns, **measured))
        assert f"column '{role}' looks as if it were in {COUNTS[factor]}" in message
        assert f"--scale {role}=1e{round(np.log10(factor))}" in message
        assert message.count("--scale") == 1


@pytest.mark.parametrize(("first", "second"), [(1e6, 1e9), (1e9, 1e9), (1e9, 1e12), (1e6, 1e6)])
def test_two_columns_in_units_of_their_own_are_both_named(first, second):
    random = np.random.default_rng(5)
    high = first == 1e9  # who counts params in billions has large ones
    params, tokens = design(random, low=20.0 + high, high=22.0 + 2 * high)
    runs = Runs.from_arrays(params=params / first, tokens=tokens / second, loss=losses(params, tokens, random))
    options = f"--scale params=1e{round(np.log10(first))} --scale tokens=1e{round(np.log10(second))}"
    assert options in told(runs)


FLOP_UNITS = {"EFLOP": 1e18, "PF-days": 8.64e19, "ZFLOP": 1e21, "PFLOP": 1e15, "TFLOP": 1e12, "GFLOP": 1e9}


@pytest.mark.parametrize("unit", FLOP_UNITS)
def test_compute_beside_params_and_tokens_is_the_culprit_by_its_ratio_to_6nd(unit):
    random = np.random.default_rng(7)
    params, tokens = design(random)
    convention = 10 ** random.uniform(-0.02, 0.25)  # attention is counted, or rounding is left
    flops = convention * 6 * params * tokens / FLOP_UNITS[unit]
    runs = Runs.from_arrays(params=params, tokens=tokens, flops=flops, loss=losses(params, tokens, random))
    assert f"column 'flops' looks as if it were in {unit}" in told(runs)
    assert "flops-mismatch" not in [one.code for one in runs.check()]


@pytest.mark.parametrize("factor", [1 / 3, 1 / 2, 2.0, 3.0, 1.3])
def test_a_convention_of_counting_is_no_unit(factor):
    random = np.random.default_rng(7)
    params, tokens = design(random)
    flops = factor * 6 * params * tokens
    runs = Runs.from_arrays(params=params, tokens=tokens, flops=flops, loss=losses(params, tokens, random))
    assert [one.code for one in runs.check()] == ["flops-mismatch"]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("unit", ["EFLOP", "PF-days", "ZFLOP"])
@pytest.mark.parametrize("beside", ["params", "tokens"])
def test_the_compute_that_a_column_was_derived_from_is_the_culprit_and_not_what_was_derived(beside, unit, seed):
    random = np.random.default_rng(seed)
    params, tokens = design(random, low=19.5, high=22.5)
    columns = {beside: {"params": params, "tokens": tokens}[beside], "flops": 6 * params * tokens / FLOP_UNITS[unit]}
    message = told(Runs.from_arrays(**columns, loss=losses(params, tokens, random)))
    assert "column 'flops' looks as if it were in" in message
    assert f"in {unit}" in message  # ZFLOP and PF-days differ by 12, as designs do: then both are named
    assert message.count("--scale") == 1


def test_the_fields_table_of_eflop_names_its_column_and_no_other(field):
    message = told(read_runs(field / "exaflop_derived_tokens.csv"))
    assert "column 'training_compute' (flops) looks as if it were in EFLOP, a factor of 1e18" in message
    assert "--scale training_compute=1e18" in message
    assert "column 'params'" not in message


@pytest.mark.parametrize("unit", ["EFLOP", "PF-days"])
def test_compute_alone_is_looked_at_and_other_units_that_would_do_are_named(unit):
    random = np.random.default_rng(3)
    params, tokens = design(random, low=19.0, high=22.0, spread=0.05)
    runs = Runs.from_arrays(flops=6 * params * tokens / FLOP_UNITS[unit], loss=losses(params, tokens, random))
    assert f"in {unit}" in told(runs)
    assert told(Runs.from_arrays(flops=6 * params * tokens, loss=runs.loss)) is None


@pytest.mark.parametrize(
    ("header", "factor"),
    [
        ("compute (1e21 FLOP)", 1e21),
        ("compute_pf_days", 8.64e19),
        ("Training EFLOPs", 1e18),
        ("compute_zettaflop", 1e21),
    ],
)
def test_a_unit_in_the_header_decides(header, factor, tmp_path):
    path = tmp_path / "runs.csv"
    path.write_text(f"run,{header},loss\n" + "".join(f"r{n},{10**n},{3 - 0.3 * n}\n" for n in range(4)))
    runs = read_runs(path, map={"flops": header}, inputs=("flops",))
    assert f"a factor of {factor:g}".replace("e+", "e") in told(runs)


def test_flops_of_one_token_are_told_from_a_unit():
    random = np.random.default_rng(2)
    params, tokens = design(random)
    runs = Runs.from_arrays(params=params, tokens=tokens, flops=6 * params, loss=losses(params, tokens, random))
    assert "column 'flops' (flops) has 6 FLOP per param" in told(runs)


def test_what_is_to_be_typed_for_flops_of_one_token_makes_those_of_the_run(tmp_path):
    random = np.random.default_rng(2)
    params, tokens = design(random)
    lines = [
        f"{n!r},{d!r},{6 * n!r},{loss!r}"
        for n, d, loss in zip(*map(np.ndarray.tolist, (params, tokens, losses(params, tokens, random))), strict=True)
    ]
    path = tmp_path / "runs.csv"
    path.write_text("params,tokens,flops,loss\n" + "\n".join(lines) + "\n")
    formula = told(read_runs(path)).partition("--map flops='")[2].partition("'")[0]
    runs = read_runs(path, map={"flops": formula})
    np.testing.assert_allclose(runs["flops"], 6 * params * tokens, rtol=1e-12)
    assert told(runs) is None


def test_tokens_of_a_formula_are_scaled_by_their_role(tmp_path):
    path = tmp_path / "runs.csv"
    path.write_text("params,steps,batch,loss\n1e8,1,2,3\n2e8,3,2,2.9\n4e8,4,2,2.8\n")
    mapped = {"tokens": "steps * batch"}
    assert "--scale tokens=1e9" in told(read_runs(path, map=mapped))
    runs = read_runs(path, map=mapped, scale={"tokens": 1e9})
    np.testing.assert_array_equal(runs["tokens"], [2e9, 6e9, 8e9])
    assert told(runs) is None
    np.testing.assert_array_equal(read_runs(path, map=mapped, scale={"batch": 1e9})["tokens"], runs["tokens"])


@pytest.mark.parametrize("times", [1e9, 1e6])
def test_a_column_that_was_multiplied_twice_is_divided(times):
    random = np.random.default_rng(2)
    params, tokens = design(random)
    runs = Runs.from_arrays(params=params, tokens=tokens * times, loss=losses(params, tokens, random))
    assert f"--scale tokens=1e-{round(np.log10(times))}" in told(runs)


def test_numbers_that_no_unit_explains_are_suspect_without_a_culprit():
    runs = Runs.from_arrays(params=[1e-20, 2e-20], tokens=[1e30, 2e30], loss=[3.0, 2.9])
    assert "no usual units explain it" in told(runs)
    assert "--units-ok" in told(runs)


def test_what_a_law_does_not_take_is_not_questioned():
    runs = Runs.from_arrays(params=[25.0, 100.0, 400.0], step=[1.0, 2.0, 3.0], loss=[3.0, 2.9, 2.8])
    assert told(runs)
    assert told(runs, ("params",))
    assert told(runs, ("step",)) is None


def test_scaled_columns_are_plain_counts_everywhere_and_remembered(field):
    base, scaled = read_runs(field / "base.csv"), read_runs(field / "tokens_in_billions.csv", scale={"tokens": 1e9})
    np.testing.assert_allclose(scaled["tokens"], base["tokens"], rtol=1e-3)  # the table has five digits
    np.testing.assert_allclose(scaled["flops"], base["flops"], rtol=1e-3)
    assert scaled.origin.scale == {"tokens": 1e9}
    assert told(scaled) is None
    some = read_runs(field / "tokens_in_billions.csv", scale={"tokens": 1e9}, where=["tokens > 1e9"])
    assert len(some) == int(np.sum(scaled["tokens"] > 1e9)) < len(scaled)


def test_a_column_is_scaled_by_its_header_or_by_its_role(field):
    path = field / "exaflop_derived_tokens.csv"
    by_header, by_role = (read_runs(path, scale={name: 1e18}) for name in ("training_compute", "flops"))
    np.testing.assert_array_equal(by_header["tokens"], by_role["tokens"])
    assert by_header.origin.scale == by_role.origin.scale == {"training_compute": 1e18}


@pytest.mark.parametrize(
    ("scale", "words", "error"),
    [
        ({"tokens": 1e9}, "made of params and flops", RunsError),
        ({"tokns": 1e9}, "unknown column", RunsError),
        ({"training_compute": 1e18, "flops": 1e18}, "two factors", RunsError),
        ({"flops": 0.0}, "positive", UsageError),
        ({"flops": float("nan")}, "positive", UsageError),
        ({"flops": -1.0}, "positive", UsageError),
        ({"flops": 1e308}, "infinite", RunsError),
    ],
)
def test_a_factor_that_cannot_be_meant_is_refused(scale, words, error, field):
    with pytest.raises(error, match=words):
        read_runs(field / "exaflop_derived_tokens.csv", scale=scale)


def test_whoever_says_that_the_units_are_right_is_believed(field):
    runs = read_runs(field / "tokens_in_billions.csv", units_ok=True)
    assert told(runs) is None
    assert runs.origin.units_ok
    assert runs["tokens"].max() < 100


def test_the_shipped_table_and_every_real_one_are_in_plain_counts(shared_data):
    from jaxscale import datasets

    assert told(datasets.load("pilot")) is None
    assert told(datasets.load("pilot").where("stage == 'fit'")) is None
    names = [
        "datablations",
        "epoch_chinchilla",
        "farseer_train",
        "gadre_overtrain",
        "mpl_curves",
        "porian_isoflop_rw",
        "scan_llm",
    ]
    for name in names:
        assert told(read_runs(shared_data / f"{name}.csv", map={"loss": "loss"})) is None, name
    others = {
        "data_constrained_scaling_law_train": ({}, ("params", "tokens")),
        "data_constrained_scaling_law_test": ({}, ("params", "tokens")),
        "lr_bsz_scaling_law_train": ({}, ("non_embedding_param_size", "data_size")),
        "moe_scaling_law_train": ({}, ("dense_parameter_count", "num_experts")),
        "parallel_scaling_law_train": ({"params": "num_params"}, ("params", "parallel_size")),
    }
    for name, (roles, inputs) in others.items():
        path = shared_data / "design" / f"{name}.csv"
        header = path.read_text().partition("\n")[0].split(",")
        loss = next(column for column in header if "loss" in column)
        assert told(read_runs(path, map={**roles, "loss": loss}, inputs=inputs), inputs) is None, name


def test_two_hundred_simulated_tables_of_plain_counts_are_left_alone():
    """Designs of 1e18 to 1e24 FLOP, narrow and wide, with heavy-tailed noise; at most two in a hundred may be asked."""
    asked = 0
    for seed in range(200):
        random = np.random.default_rng(1000 + seed)
        low = random.uniform(18.0, 22.0)
        params, tokens = design(
            random, int(random.integers(6, 60)), low, random.uniform(low + 0.1, 24.0), random.uniform(0.1, 0.8)
        )
        convention = random.choice([1.0, 1.0, 1.3, 1 / 3, 2.0])
        beside = {"flops": convention * 6 * params * tokens} if seed % 2 else {}
        runs = Runs.from_arrays(params=params, tokens=tokens, loss=losses(params, tokens, random, 0.01), **beside)
        asked += told(runs) is not None
    assert asked <= 4


@pytest.mark.parametrize("unit", [1e6, 1e9])
@pytest.mark.parametrize("role", ["params", "tokens"])
@pytest.mark.parametrize("share", [1, 3])
def test_a_column_in_two_units_names_the_rows_that_lie_apart(role, unit, share):
    """One row, or a third of them: whatever the median says."""
    random = np.random.default_rng(3)
    params, tokens = design(random)
    columns = {"params": params, "tokens": tokens, "loss": losses(params, tokens, random)}
    is_other = np.arange(len(params)) % 3 == 1 if share == 3 else np.arange(len(params)) == 4
    columns[role] = np.where(is_other, columns[role] / unit, columns[role])
    runs = Runs.from_arrays(**columns)
    (finding,) = [one for one in runs.check() if one.code == "units-suspect"]
    assert finding.rows == tuple(runs.row[is_other].tolist())
    assert COUNTS[unit] in finding.message
    assert "--units-ok" in finding.message
    again = Runs.from_arrays(**columns, units_ok=True)
    assert "units-suspect" not in [one.code for one in again.check()]


@pytest.mark.parametrize("seed", range(20))
def test_a_wide_sweep_is_in_one_unit(seed):
    """Sizes of seven decades, and a single large run a hundred times above the others."""
    random = np.random.default_rng(seed)
    params = np.sort(10 ** random.uniform(5, 12, 24))
    params[-1] = max(params[-1], 100.0 * params[-2])
    tokens = np.clip(20.0 * params, 1e8, 1e13)
    runs = Runs.from_arrays(params=params, tokens=tokens, loss=losses(params, tokens, random))
    assert "two units" not in " ".join(one.message for one in runs.check())
