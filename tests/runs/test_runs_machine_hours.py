"""Hours of an accelerator in the column of flops: the formula that is told reads them, and nothing else is asked."""

import shlex

import numpy as np
import pytest
from tables_in_units import design, losses, told

from jaxscale.runs import read_runs

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
