"""Nothing is planned from numbers that are not what they are taken for, until an option says otherwise."""

import json

import pytest


@pytest.fixture
def billions(run, field, own_folder):
    """The folder of a study of a table whose tokens are in billions, and its document."""
    answer = run("fit", field / "tokens_in_billions.csv", "--replicates", 20, "--out", "study", "--json")
    assert answer.exit_code == 4, answer.stderr
    return own_folder / "study", json.loads(answer.stdout)


def codes(document):
    return [warning["code"] for warning in document["warnings"]]


def test_the_culprit_and_its_factor_are_named_and_no_command_plans(billions, run, field):
    folder, document = billions
    message = next(warning["message"] for warning in document["warnings"] if warning["code"] == "units-suspect")
    assert "column 'tokens' looks as if it were in billions, a factor of 1e9" in message
    assert "params" not in message.partition("column")[2]
    assert document["frontier"] == []
    assert document["coefs"]["alpha"] == pytest.approx(0.3405, abs=1e-3)  # exponents know no unit
    assert document["bootstrap"]["coefs"]["alpha"]["low"] is not None
    for command in (
        ("frontier", folder),
        ("frontier", folder, "--flops", "1e21"),
        ("frontier", field / "tokens_in_billions.csv", "--replicates", 0),
    ):
        answer = run(*command, "--json")
        assert answer.exit_code == 4
        assert json.loads(answer.stdout)["frontier"] == []
        assert "units-suspect" in codes(json.loads(answer.stdout))
    page = run("frontier", folder)
    assert "No frontier: nothing is planned" in page.stdout
    predicted = run("predict", folder, "--at", "params=1e9", "--at", "tokens=2e10", "--json")
    assert predicted.exit_code == 4
    assert json.loads(predicted.stdout)["predictions"][0]["loss"] == {"value": None, "low": None, "high": None}
    assert "not-predicted" in codes(json.loads(predicted.stdout))


def test_what_the_message_says_to_type_gives_the_plan_of_plain_counts(run, field):
    table, options = field / "tokens_in_billions.csv", ("--replicates", 0, "--flops", "1e21", "--json")
    scaled = run("fit", table, *options, "--scale", "tokens=1e9", "--out", "scaled")
    assert scaled.exit_code == 0, scaled.stderr
    document, base = json.loads(scaled.stdout), json.loads(run("fit", field / "base.csv", *options).stdout)
    assert document["data"]["scale"] == {"tokens": 1e9}
    # the table's tokens have five digits, and those of base.csv six
    assert document["frontier"][0]["params"]["value"] == pytest.approx(base["frontier"][0]["params"]["value"], rel=5e-3)
    assert json.loads(run("frontier", "scaled", "--json").stdout)["data"]["scale"] == {"tokens": 1e9}
    assert "'tokens' times 1e9" in run("frontier", "scaled").stdout


def test_whoever_says_so_gets_a_plan_in_the_units_of_the_table(run, field):
    answer = run("fit", field / "tokens_in_billions.csv", "--replicates", 0, "--units-ok", "--json", "--out", "kept")
    document = json.loads(answer.stdout)
    assert answer.exit_code == 0
    assert document["data"]["units_ok"] is True
    assert document["frontier"]
    assert "units not questioned" in run("frontier", "kept").stdout


def test_the_three_approaches_give_no_sizes_either(run, field):
    answer = run("approaches", field / "tokens_in_billions.csv", "--replicates", 10, "--json")
    document = json.loads(answer.stdout)
    assert answer.exit_code == 4
    assert "units-suspect" in codes(document)
    assert document["differences"] == []
    assert {one["params"] for one in document["approaches"]} == {None}
    assert "no sizes" in run("approaches", field / "tokens_in_billions.csv", "--replicates", 10).stdout


def test_an_accuracy_taken_as_a_loss_is_not_planned_from(run, field):
    answer = run(
        "fit", field / "accuracy_as_loss.csv", "--map", "loss=acc", "--law", "power", "--replicates", 0, "--json"
    )
    document = json.loads(answer.stdout)
    assert answer.exit_code == 4
    message = next(warning["message"] for warning in document["warnings"] if warning["code"] == "target-suspect")
    assert "--map loss='1 - acc'" in message
    assert document["frontier"] == []
    turned = run(
        "fit", field / "accuracy_as_loss.csv", "--map", "loss=1 - acc", "--law", "power", "--replicates", 0, "--json"
    )
    assert "target-suspect" not in codes(json.loads(turned.stdout))
    assert turned.exit_code == 0


def test_the_last_row_of_each_run_is_fitted_on_request(run, tmp_path):
    rows = []
    for size in (1, 2, 4, 8, 16, 32):
        for step in (1, 2, 4):
            params, tokens = 1e8 * size, 1e9 * step * size**0.3
            rows.append(f"r{size},{step},{params},{tokens},{1.8 + 480 / params**0.35 + 2100 / tokens**0.37}")
    path = tmp_path / "log.csv"
    path.write_text("run,step,params,tokens,loss\n" + "\n".join(rows) + "\n")
    answer = run("fit", path, "--final", "--replicates", 0, "--law", "power", "--json")
    document = json.loads(answer.stdout)
    assert document["data"]["used"] == 6
    assert document["data"]["left_out"] == {"final": 12}


def test_how_a_file_is_scaled_is_no_matter_of_a_data_set(run):
    answer = run("fit", "pilot", "--scale", "tokens=1e9")
    assert answer.exit_code == 2
    assert "--scale says how a file is written" in answer.stderr
