"""The last row of each run, and what may not be called one."""

import numpy as np
import pytest

from jaxscale.errors import RunsError
from jaxscale.runs import Runs, read_runs

LOG = """run,step,params,tokens,loss
a,100,1e8,1e9,3.5
a,300,1e8,3e9,3.1
a,200,1e8,2e9,3.3
b,100,2e8,1e9,3.4
b,200,2e8,2e9,3.2
b,200,2e8,2e9,3.25
c,100,4e8,1e9,3.3
"""


def written(tmp_path, text):
    path = tmp_path / "runs.csv"
    path.write_text(text)
    return path


def test_the_last_row_is_that_of_the_last_step_and_the_later_one_where_two_have_it(tmp_path):
    runs = read_runs(written(tmp_path, LOG), final=True)
    assert runs.row.tolist() == [2, 6, 7]
    assert runs.origin.left_out == {"final": 4}


@pytest.mark.parametrize(("gone", "rows"), [("step", [2, 6, 7]), ("step,params,tokens", [3, 6, 7])])
def test_without_steps_tokens_say_what_is_last_and_without_those_the_order(tmp_path, gone, rows):
    lines = [line.split(",") for line in LOG.splitlines()]
    kept = [place for place, name in enumerate(lines[0]) if name not in gone.split(",")]
    text = "\n".join(",".join(line[place] for place in kept) for line in lines) + "\n"
    assert read_runs(written(tmp_path, text), final=True, inputs=()).row.tolist() == rows


def test_selections_come_first(tmp_path):
    assert read_runs(written(tmp_path, LOG), final=True, where=["step < 300"]).row.tolist() == [3, 6, 7]


def test_a_table_without_a_name_for_its_runs_is_refused_and_a_group_gives_one(tmp_path):
    path = written(tmp_path, LOG.replace("run,", "model,"))
    with pytest.raises(RunsError, match="--group"):
        read_runs(path, final=True)
    assert read_runs(path, final=True, group="model").row.tolist() == [2, 6, 7]


def test_a_group_of_many_runs_is_not_taken_for_one_run(tmp_path):
    lines = [f"{line},{name}" for line, name in zip(LOG.splitlines(), ["kind", *"xxxyyyx"], strict=True)]
    path = written(tmp_path, "\n".join(lines) + "\n")
    assert read_runs(path, final=True, group="kind").row.tolist() == [2, 6, 7]


def test_one_name_at_two_sizes_is_two_runs(tmp_path):
    runs = read_runs(written(tmp_path, LOG.replace("b,", "a,")), final=True)
    assert runs.row.tolist() == [2, 6, 7]


def test_every_option_that_the_fields_overlapping_table_is_told_leaves_the_rows_that_it_says(field):
    runs = read_runs(field / "overlapping_steps.csv")
    told = {one.code: one for one in runs.check()}
    assert "repeated-seeds" not in told
    overlap = told["overlapping-rows"]
    assert overlap.rows == (20, 21, 46, 47)  # by eye: steps 4000 and 4500 of run1 and run3 stand twice
    where = overlap.message.partition('--where "')[2].partition('"')[0]
    left = read_runs(field / "overlapping_steps.csv", where=[where])
    assert sorted(set(range(1, 53)) - set(left.row.tolist())) == [20, 21, 46, 47]
    assert "overlapping-rows" not in [one.code for one in left.check()]
    assert "--" not in told["trajectory-rows"].message  # four runs carry neither clusters nor five coefs
    final = read_runs(field / "overlapping_steps.csv", final=True)
    np.testing.assert_array_equal(final["step"], [6000] * 4)


@pytest.mark.parametrize("count", [2, 4, 5, 6, 9])
@pytest.mark.parametrize("coefs", [2, 3, 5])
def test_advice_about_checkpoints_can_be_followed(count, coefs):
    from jaxscale.refitting import check_clusters
    from jaxscale.resampling import SCHEMES

    params = np.repeat(1e8 * np.arange(1, count + 1), 4)
    tokens = np.tile(1e9 * np.arange(1, 5), count)
    names = np.repeat([f"r{number}" for number in range(count)], 4)
    columns = {"params": params, "tokens": tokens, "loss": 4.0 - 0.001 * np.arange(4 * count), "run": names}
    message = next(
        one.message for one in Runs.from_arrays(**columns).check(coefs=coefs) if one.code == "trajectory-rows"
    )
    if "--scheme cluster --group run" in message:
        check_clusters(Runs.from_arrays(**columns, group=names), SCHEMES.resolve("cluster"), has_own=False)
    if "--final" in message:
        assert count > coefs
