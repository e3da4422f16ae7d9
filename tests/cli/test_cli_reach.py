"""A thousand times the largest measured compute and beyond is answered on request only."""

import json

import click
import pytest

import jaxscale as js
from jaxscale.allocation.inputs import measured_flops
from jaxscale.cli.main import main
from jaxscale.cli.parameters import Budgets

LARGEST = measured_flops(js.LAWS["chinchilla"], js.datasets.load("pilot"))[1]
FAR, NEAR = f"{1001 * LARGEST!r}", f"{999 * LARGEST!r}"
CANDIDATES = ("--candidates", "candidates.csv", "--budget", "1e14")


@pytest.mark.parametrize(
    "words",
    [
        ("frontier", "{folder}", "--flops", FAR),
        ("plan", "{folder}", "--flops", FAR),
        ("predict", "{folder}", "--at", "params=1e6", "--at", f"flops={FAR}"),
        ("fit", "pilot", "--flops", FAR),
        ("frontier", "pilot", "--flops", f"1e12,{FAR}"),
        ("plan", "pilot", "--flops", FAR),
        ("design", "{folder}", *CANDIDATES, "--target", FAR),
        ("design", "pilot", *CANDIDATES, "--target", FAR),
        ("design", "{folder}", *CANDIDATES, "--region", "params=1e6", "--region", f"flops={FAR}"),
        ("specifications", "pilot", "--flops", FAR),
        ("coverage", "pilot", "--flops", f"1e12,{FAR}"),
        ("compare", "pilot", "--by", "stage", "--flops", FAR),
        ("approaches", "pilot", "--flops", FAR),
        ("studies", "pilot", "--flops", FAR),
    ],
    ids=lambda words: f"{words[0]} {words[1]}",
)
def test_an_answer_so_far_out_is_refused_with_the_way_to_have_it(run, fitted, own_folder, words):
    (own_folder / "candidates.csv").write_text("params,tokens\n1e5,1e7\n2e5,1e7\n")
    refused = run(*(word.format(folder=fitted[0]) for word in words))
    assert refused.exit_code == 2
    assert "1,001 times the largest measured compute" in refused.stderr
    assert "--yes-extrapolate" in refused.stderr


def test_every_command_that_takes_budgets_has_the_option():
    for name, command in main.commands.items():
        options = [one for one in command.params if isinstance(one, click.Option)]
        if any(isinstance(one.type, Budgets) and {"--flops", "--target"} & set(one.opts) for one in options):
            assert any("--yes-extrapolate" in one.opts for one in options), name


def test_of_several_tables_the_one_that_is_far_from_a_budget_is_named(run, own_folder):
    for name, flops in (("small", "1e17"), ("large", "1e21")):
        (own_folder / f"{name}.csv").write_text(f"flops,loss\n1e16,4\n{flops},3\n")
    refused = run("studies", "small.csv", "large.csv", "--laws", "pure-power", "--flops", "1e22")
    assert refused.exit_code == 2
    assert "100,000 times the largest measured compute of small" in refused.stderr


@pytest.mark.parametrize("words", [("frontier", "--flops"), ("predict", "--at", "params=1e6", "--at")])
def test_on_request_or_nearer_it_is_given(run, fitted, words):
    name, *more = words
    for budget, agreed in ((FAR, ["--yes-extrapolate"]), (NEAR, [])):
        last = f"flops={budget}" if name == "predict" else budget
        answer = run(name, fitted[0], *more, last, *agreed, "--json")
        assert answer.exit_code == 0, answer.stderr
        assert "extrapolation" in {one["code"] for one in json.loads(answer.stdout)["warnings"]}


def test_numbers_that_are_not_what_they_seem_are_told_as_that(run, field):
    answer = run("fit", field / "tokens_in_billions.csv", "--replicates", 0, "--flops", "1e21", "--json")
    assert answer.exit_code == 4
    assert "units-suspect" in {one["code"] for one in json.loads(answer.stdout)["warnings"]}


def test_given_coefs_have_no_runs_to_be_far_from(run):
    assert run("frontier", "--law", "chinchilla", "--constants", "besiroglu2024", "--flops", "1e40").exit_code == 0
