"""The command plan: what it recommends is what `js.decide` does, limits are named, and nonsense is refused by name."""

import json

import numpy as np
import pytest

import jaxscale as js
from jaxscale.costs.machines import flops_of_hours

KNOWN = ("plan", "--law", "chinchilla", "--constants", "besiroglu2024")


@pytest.fixture(scope="module")
def priced(fitted, tmp_path_factory):
    """The page and the document of one plan for the fitted result, made once, and its figure."""
    from click.testing import CliRunner

    from jaxscale.cli.main import main

    folder, figure = fitted[0], tmp_path_factory.mktemp("plans") / "plan.svg"
    words = [
        "plan",
        str(folder),
        "--flops",
        "1e16",
        "--yes-extrapolate",
        "--compare",
        "3e6",
        "--compare",
        "1e6,1e8",
        "--price",
        "H100@0.4=2",
    ]
    page = CliRunner().invoke(main, [*words, "--plot", str(figure)])
    document = CliRunner().invoke(main, [*words, "--json"])
    assert (page.exit_code, document.exit_code) == (0, 0), page.output
    return page.stdout, json.loads(document.stdout), figure


def test_a_plan_of_one_token_is_warned_of(run):
    """Six FLOP buy one param on one token."""
    found = json.loads(run(*KNOWN, "--flops", "6", "--json").stdout)
    assert [one["code"] for one in found["warnings"]][-1] == "optimum-at-end"


def test_the_document_has_the_numbers_of_decide(priced, fitted):
    decision = js.decide(
        js.load(fitted[0]).ensemble,
        flops=1e16,
        plans={"3M": 3e6, "1M at 100M": (1e6, 1e8)},
        dollars_per_flop=2.0 / flops_of_hours(1.0, "H100", utilisation=0.4),
    )
    told = priced[1]["decision"]
    assert (told["params"], told["risk"], told["evpi"]["value"]) == (decision.params, decision.risk, decision.evpi[0])
    assert [one["name"] for one in told["plans"]] == list(decision.regrets)
    for one in told["plans"]:
        own = decision.regrets[one["name"]]
        for measure in ("nats", "flops", "dollars"):
            assert (one["regret"][measure]["mean"], one["regret"][measure]["error"]) == own.expected(measure)
    assert told["draws"] == int(js.load(fitted[0]).ensemble.usable.sum()) - sum(told["left_out"].values())


def test_the_page_has_the_plans_and_the_limits(priced):
    page, document = " ".join(priced[0].split()), priced[1]
    for word in ("best", "plug-in", "3M", "1M at 100M", "6nd at most", "regret, nats", "wasted FLOP", "wasted $"):
        assert word in page
    assert "expected value of perfect information" in page
    assert document["plan"]["status"] == "optimal"
    (limit,) = document["plan"]["limits"]
    assert limit["spent"] == pytest.approx(1e16)
    assert limit["multiplier"]["low"] <= limit["multiplier"]["value"] <= limit["multiplier"]["high"]


def test_the_curve_has_its_least_mean_where_the_plan_is(priced):
    document = priced[1]["decision"]
    sizes = np.array([one["params"] for one in document["curve"]])
    means = np.array([one["nats"]["mean"] for one in document["curve"]])
    assert means.min() >= document["risk"] - 1e-12
    nearest = np.argsort(np.abs(np.log(sizes / document["params"])))[:2]
    assert int(np.argmin(means)) in nearest


def test_the_figure_names_limits_and_plans(priced):
    text = priced[2].read_text(encoding="utf-8")
    for word in ("regret (nats/token)", "params $N$", "least regret", "6nd at most"):
        assert word in text


def test_given_coefs_have_a_plan_without_regret(run):
    answer = run(*KNOWN, "--flops", "1e24", "--unique-tokens", "5e11", "--serve", "1e13", "--json")
    told = json.loads(answer.stdout)
    best = js.plan(law="chinchilla", coefs="besiroglu2024", flops=1e24, unique_tokens=5e11, inference_tokens=1e13)
    assert told["decision"] is None
    assert told["plan"]["params"]["value"] == pytest.approx(float(best.params), rel=1e-12)
    assert told["plan"]["unique_tokens_multiplier"] == pytest.approx(float(best.multipliers["unique tokens"]))
    assert len(told["assumed"]) == 2
    assert {one["code"] for one in told["warnings"]} == {"no-bands", "extrapolation"}


def test_a_chosen_input_is_told_with_its_ends(run):
    words = ("plan", "--law", "experts-sparsity", "--constants", "abnar2025", "--flops", "1e23")
    answer = run(*words, "--at-most", "active_params=2e10", "--choose", "idle_experts=0:0.9")
    assert answer.exit_code == 0
    for word in ("idle_experts at most", "active_params at most", "is chosen as a number of any value from 0 to 0.9"):
        assert word in " ".join(answer.stdout.split())


def test_the_nearest_model_that_can_be_built_is_named(run, tmp_path):
    """Without replicates too; on the budget alone it has the tokens that are left."""
    table = tmp_path / "shapes.csv"
    table.write_text("name,params\nsmall,8e9\nlarge,7e10\nhuge,1e12\n", encoding="utf-8")
    told = json.loads(run(*KNOWN, "--flops", "1e24", "--shapes", str(table), "--json").stdout)
    assert told["buildable"]["name"] == "large"
    assert told["buildable"]["params"] == pytest.approx(7e10, rel=1e-12)
    assert told["buildable"]["tokens"] == pytest.approx(1e24 / 6 / 7e10, rel=1e-9)
    beyond = float(js.predict("chinchilla", "besiroglu2024", params=7e10, flops=1e24)) - told["plan"]["loss"]["value"]
    assert told["buildable"]["regret"]["large"] == pytest.approx(beyond, abs=1e-12)
    page = run(*KNOWN, "--flops", "1e24", "--shapes", str(table)).stdout
    assert "large, 70.0B params on 2.38T tokens" in " ".join(page.split())


def test_a_table_of_shapes_that_is_not_there_is_named(run):
    answer = run(*KNOWN, "--flops", "1e24", "--shapes", "no-shapes.csv")
    assert answer.exit_code == 3
    assert "no-shapes.csv" in answer.stderr


def test_limits_that_contradict_are_named(run):
    answer = run(*KNOWN, "--flops", "1e24", "--at-most", "params=1e9", "--at-least", "params=2e9")
    assert answer.exit_code == 0
    assert "infeasible; no plan keeps to all of: params at most, params at least" in answer.stdout


def test_a_loss_is_reached_at_the_least_cost(run):
    told = json.loads(run(*KNOWN, "--target-loss", "2.0", "--json").stdout)
    assert told["plan"]["loss"]["value"] == pytest.approx(2.0, rel=1e-9)
    assert told["plan"]["unit"] == "FLOP"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "say what may be spent"),
        (["--flops", "0"], "is not a positive, finite number of FLOP"),
        (["--flops", "nan"], "is not a positive, finite number of FLOP"),
        (["--flops", "1e24,1e25"], "takes one budget here"),
        (["--flops", "1e24", "--serve", "-5"], "'-5' is not a positive"),
        (["--flops", "1e24", "--unique-tokens", "nan"], "'nan' is not a positive"),
        (["--flops", "1e24", "--at-most", "params=-1"], "'-1' is not a positive"),
        (["--flops", "1e24", "--at-most", "params"], "is not of the form cost=amount"),
        (["--flops", "1e24", "--at-most", "memory=80e9"], "unknown cost 'memory'"),
        (["--flops", "1e24", "--at-most", "serving-memory=80e9"], "needs bytes_per_param, context"),
        (["--flops", "1e24", "--at-most", "params=1e9,foo=2"], "takes params and tokens alone"),
        (["--flops", "1e24", "--at-most", "hours=1e6,machine=H900@0.4"], "unknown machine 'H900'"),
        (["--flops", "1e24", "--at-most", "hours=1e6,machine=H100"], "is not of the form MACHINE@SHARE"),
        (["--flops", "1e24", "--compare", "7x"], "is neither params nor params,tokens"),
        (["--flops", "1e24", "--compare", "7e9"], "here there are none"),
        (["--flops", "1e24", "--tail", "2"], "is not a finite number from 0 to 1"),
        (["--flops", "1e24", "--price", "H100@0.4=-2"], "'-2' is not a positive"),
        (["--flops", "1e24", "--least", "dollars"], "only where --target-loss"),
        (["--target-loss", "2", "--tail", "0.1"], "give --flops too"),
        (["--target-loss", "2", "--shapes", "shapes.csv"], "give --flops too"),
        (["--flops", "1e24", "--choose", "idle_experts=0.5"], "write the least and the most of it"),
        (["--flops", "1e24", "--choose", "idle_experts=0:0.5"], "and the limits take no inputs but sizes"),
        (["--flops", "1e24", "--at-most", "wall-clock=1,flops_per_hour=x"], "'x' is not a finite number"),
        (["--flops", "1e24", "--of", "a"], "--of names a group"),
        (["--measured-cost", "hours", "--at-most", "hours=5"], "--measured-cost hours is fitted to a table of runs"),
        (["--flops", "1e24", "--measured-cost", "hours"], "--measured-cost hours is used nowhere"),
        (["--flops", "1e24", "--measured-cost", "hours=linear", "--at-most", "hours=5"], "nor COLUMN=proportional"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_name(run, words, told):
    answer = run(*KNOWN, *words)
    assert answer.exit_code == 2
    assert told in answer.stderr


def test_a_question_that_cannot_be_asked_costs_no_fit(run, monkeypatch):
    from jaxscale.studying import making

    def refuse(*given, **named):
        raise AssertionError("a fit was made")

    monkeypatch.setattr(making, "fit", refuse)
    for words in (["--flops", "1e24", "--price", "H900@0.4=2"], ["--flops", "1e24", "--at", "epochs=2"]):
        answer = run("plan", "pilot", *words)
        assert answer.exit_code == 2, answer.output


def test_a_saved_fit_without_replicates_compares_nothing(run, own_folder):
    assert run("fit", "--replicates", "0", "--out", own_folder / "bare").exit_code == 0
    answer = run("plan", own_folder / "bare", "--flops", "1e15", "--compare", "3e6")
    assert answer.exit_code == 2
    assert "here there are none" in answer.stderr


def test_plans_that_look_alike_are_both_priced(run, fitted):
    words = ("--flops", "1e15", "--compare", "3e6", "--compare", "3.00001e6")
    told = json.loads(run("plan", fitted[0], *words, "--json").stdout)["decision"]["plans"]
    assert [one["name"] for one in told] == ["best", "plug-in", "3M", "3.00001e6"]
    assert [one["flops_unknown"] for one in told] == [0, 0, 0, 0]


@pytest.fixture(scope="module")
def measured(fitted):
    """A table of the fitted runs with hours, a power of params and tokens that is no product, and its saved fit."""
    from click.testing import CliRunner

    from jaxscale.cli.main import main

    runs = js.load(fitted[0]).fit.runs
    sizes = {name: runs.columns[name] for name in ("params", "tokens")}
    hours = 3e-12 * sizes["params"] ** 0.9 * sizes["tokens"] ** 1.05
    table = fitted[0].parent / "measured.csv"
    lines = zip(*sizes.values(), runs.loss, hours, strict=True)
    text = "\n".join(["params,tokens,loss,gpu_hours", *(",".join(repr(float(one)) for one in line) for line in lines)])
    table.write_text(text + "\n", encoding="utf-8")
    folder = fitted[0].parent / "measured"
    answer = CliRunner().invoke(main, ["fit", str(table), "--replicates", "0", "--out", str(folder)])
    assert answer.exit_code == 0, answer.stderr
    return folder


def test_hours_of_the_table_limit_a_plan(run, measured):
    """k N^u D^v within a cap: the plan is that of the closed form, alpha A N^-alpha / u = beta B D^-beta / v."""
    words = ("plan", measured, "--measured-cost", "gpu_hours", "--at-most", "gpu_hours=1e6")
    told = json.loads(run(*words, "--json").stdout)
    cost = told["measured_costs"]["gpu_hours"]
    assert [cost[name] for name in ("factor", "params", "tokens")] == pytest.approx([3e-12, 0.9, 1.05], rel=1e-6)
    params, tokens = (told["plan"][name]["value"] for name in ("params", "tokens"))
    assert 3e-12 * params**0.9 * tokens**1.05 == pytest.approx(1e6, rel=1e-6)
    coefs = js.load(measured).fit.coefs
    size = coefs["alpha"] * coefs["A"] * params ** -coefs["alpha"] / 0.9
    assert size == pytest.approx(coefs["beta"] * coefs["B"] * tokens ** -coefs["beta"] / 1.05, rel=1e-6)
    page = " ".join(run(*words).stdout.split())
    assert "gpu_hours at most" in page
    assert f"gpu_hours = 3e-12 N^0.9 D^1.05, fitted to {cost['runs']} runs" in page


def test_a_loss_is_reached_in_the_fewest_measured_hours(run, measured):
    words = ("plan", measured, "--measured-cost", "gpu_hours=proportional", "--least", "gpu_hours")
    told = json.loads(run(*words, "--target-loss", "3.2", "--json").stdout)
    assert told["plan"]["unit"] == "gpu_hours"
    assert told["plan"]["loss"]["value"] == pytest.approx(3.2, rel=1e-9)
    assert (told["measured_costs"]["gpu_hours"]["params"], told["measured_costs"]["gpu_hours"]["tokens"]) == (1.0, 1.0)


def test_a_column_that_the_table_lacks_is_named(run, measured):
    answer = run("plan", measured, "--measured-cost", "dollars_spent", "--at-most", "dollars_spent=5")
    assert answer.exit_code == 2
    assert "the table has no column 'dollars_spent'" in answer.stderr
