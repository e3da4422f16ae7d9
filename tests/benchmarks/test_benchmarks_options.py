"""What several benchmarks take."""

import click
import pytest

import jaxscale as js
from benchmarks import options


def test_without_a_table_the_one_that_ships_is_measured():
    runs = options.runs_of(None, ("budget < 4e12",))
    assert (len(runs), runs.origin.rows) == (45, len(js.datasets.load("pilot")))
    assert options.name_of(None) == runs.origin.source


def test_a_table_that_is_refused_ends_with_the_exit_code_of_the_refusal(tmp_path):
    (tmp_path / "t.csv").write_text("params,tokens,loss\n1,x,3\n")
    with pytest.raises(click.exceptions.Exit) as ended:
        options.runs_of(str(tmp_path / "t.csv"), ())
    assert ended.value.exit_code == js.RunsError.exit_code
