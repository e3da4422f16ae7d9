"""What a header says: params of one kind, bits of a loss, hours of an accelerator, and the formula that reads them."""

import shlex

import numpy as np
import pytest
from tables_in_units import design, losses, told

from jaxscale.counting import recount
from jaxscale.errors import RunsError
from jaxscale.runs import read_runs
from jaxscale.runs.headers import is_qualified

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


NATS = np.array([3.4, 3.2, 3.0])


BITS = {
    "loss (bits)": "bits",
    "loss_bits": "bits",
    "val_bpb": "bits per byte",
    "summary.eval/bpb": "bits per byte",
    "bpc": "bits per character",
    "bits_per_byte": "bits per byte",
    "Bits per Char": "bits per character",
    "bits_per_token": "bits per token",
}


def losses_under(header, losses):
    rows = zip((1e8, 2e8, 4e8), (2e9, 4e9, 8e9), losses, strict=True)
    return f"params,tokens,{header}\n" + "".join(f"{n},{d},{loss!r}\n" for n, d, loss in rows)


def said(runs):
    return next((one.message for one in runs.check() if one.code == "loss-in-bits"), None)


@pytest.mark.parametrize("header", BITS)
def test_bits_are_named_and_what_is_told_reads_nats(read, header):
    text = losses_under(header, (NATS / np.log(2)).tolist())
    message = said(read(text, map={"loss": header}))
    assert f"holds {BITS[header]}, by its name" in message
    (formula,) = (word[5:] for word in shlex.split(message) if word.startswith("loss="))
    runs = read(text, map={"loss": formula})
    np.testing.assert_allclose(runs.loss, NATS, rtol=1e-6)
    assert said(runs) is None
    assert ("no nats per token" in message) == BITS[header].endswith(("byte", "character"))


def test_bits_that_are_scaled_to_nats_are_nats(read):
    assert said(read(losses_under("bpb", NATS.tolist()), map={"loss": "bpb"}, scale={"bpb": 0.6931})) is None


@pytest.mark.parametrize(
    "header", ["loss", "val_loss", "loss_nats", "orbits", "loss_8bit", "loss (4 bits)", "rabbits loss"]
)
def test_other_names_say_nothing_of_bits(read, header):
    assert said(read(losses_under(header, NATS.tolist()), map={"loss": header})) is None


def test_bits_forbid_no_plan(read):
    from jaxscale.finding import forbids_plan

    assert forbids_plan(read(losses_under("bpb", NATS.tolist()), map={"loss": "bpb"}).check()) is None


HOURS = {
    "gpu_hours": "H100 at its peak of 989.4e12",
    "GPU-hours": "H100 at its peak of 989.4e12",
    "TPU hours": "H100 at its peak of 989.4e12",
    "gpuh": "H100 at its peak of 989.4e12",
    "accelerator hrs": "H100 at its peak of 989.4e12",
    "compute (A100 hours)": "A100 at its peak of 312e12",
    "v100_days": "V100 at its peak of 125e12",
    "TPUv4-hours": "TPUv4 at its peak of 275e12",
}


@pytest.mark.parametrize("header", HOURS)
def test_hours_of_an_accelerator_are_no_multiple_of_flop_and_the_formula_that_is_told_reads_them(header, tmp_path):
    random = np.random.default_rng(4)
    params, tokens = design(random)
    peak = float(HOURS[header].rpartition(" ")[2])
    hours = 6 * params * tokens / (peak * 0.4 * (86_400 if "days" in header else 3_600))
    path = tmp_path / "runs.csv"
    rows = zip(params, hours, losses(params, tokens, random), strict=True)
    path.write_text(f"params,{header},loss\n" + "".join(",".join(map(repr, map(float, row))) + "\n" for row in rows))
    message = told(read_runs(path, map={"flops": header}))
    assert "EFLOP" not in message
    assert "--scale" not in message
    assert HOURS[header] in message
    (formula,) = (word[6:] for word in shlex.split(message.replace(",", " ")) if word.startswith("flops="))
    runs = read_runs(path, map={"flops": formula})
    np.testing.assert_allclose(runs["tokens"], tokens, rtol=1e-9)
    assert told(runs) is None


def test_hours_that_are_scaled_or_vouched_for_are_taken_as_flop(tmp_path):
    path = tmp_path / "runs.csv"
    path.write_text("params,gpu_hours,loss\n1e8,1,3.4\n2e8,3,3.2\n4e8,9,3.0\n")
    assert told(read_runs(path, map={"flops": "gpu_hours"}, scale={"gpu_hours": 1.4e18})) is None
    assert told(read_runs(path, map={"flops": "gpu_hours"}, units_ok=True)) is None


@pytest.mark.parametrize("header", ["flops_per_gpu_hour", "compute", "gpu_flops", "hours", "training_flops"])
def test_a_column_that_speaks_of_no_machine_time_is_judged_by_its_numbers(header, tmp_path):
    random = np.random.default_rng(4)
    params, tokens = design(random)
    path = tmp_path / "runs.csv"
    rows = zip(params, 6 * params * tokens, losses(params, tokens, random), strict=True)
    path.write_text(f"params,{header},loss\n" + "".join(",".join(map(repr, map(float, row))) + "\n" for row in rows))
    assert told(read_runs(path, map={"flops": header})) is None
