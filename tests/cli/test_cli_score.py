"""`jaxscale predict --register` and `jaxscale score`: the file, the page and the document say the same."""

import json

import numpy as np
import pytest

import jaxscale as js
from jaxscale.fitting import predict_ensemble


@pytest.fixture(scope="module")
def registered(fitted, tmp_path_factory):
    """A forecast of two runs by the fitted result, and a table of them."""
    from click.testing import CliRunner

    from jaxscale.cli.main import main

    folder = tmp_path_factory.mktemp("told")
    words = ["predict", str(fitted[0]), "--at", "params=1e6,3e6", "--at", "tokens=1e7,1e7"]
    done = CliRunner().invoke(main, [*words, "--register", str(folder / "told.json"), "--json"])
    assert done.exit_code == 0, done.output
    losses = [one["loss"]["value"] for one in json.loads(done.stdout)["predictions"]]
    (folder / "made.csv").write_text(f"params,tokens,loss\n1e6,1e7,{losses[0]!r}\n3e6,1e7,9.0\n", encoding="utf-8")
    return folder, json.loads(done.stdout)["predictions"]


def test_the_score_says_which_runs_lie_within(run, registered):
    folder, predictions = registered
    told = json.loads(run("score", str(folder / "told.json"), str(folder / "made.csv"), "--json").stdout)
    assert [one["in_new_run"] for one in told["runs"]] == [True, False]
    assert told["within"] == {"mean": 1, "new_run": 1, "of": 2}
    for one, before in zip(told["runs"], predictions, strict=True):
        assert one["predicted"] == before["loss"]["value"]
        assert (one["mean"]["low"], one["new_run"]["high"]) == (before["loss"]["low"], before["new_run"]["high"])
    page = " ".join(run("score", str(folder / "told.json"), str(folder / "made.csv")).stdout.split())
    assert "1 of 2 within the 95 % band of a new run" in page
    assert "neither" in page


def test_a_saved_study_is_held_against_runs_without_a_forecast(run, registered, fitted):
    folder, _ = registered
    told = json.loads(run("score", str(fitted[0]), str(folder / "made.csv"), "--json").stdout)
    assert told["registered"] is None
    assert told["within"]["of"] == 2


def test_the_study_behind_a_forecast_has_to_be_the_same(run, registered, fitted, own_folder):
    folder, _ = registered
    words = ("score", str(folder / "told.json"), str(folder / "made.csv"))
    assert run(*words, "--study", str(fitted[0])).exit_code == 0
    run("fit", "--replicates", "60", "--seed", "1", "--out", "other")
    answer = run(*words, "--study", "other")
    assert (answer.exit_code, "what changed is seed" in answer.stderr) == (2, True)
    assert run("score", str(fitted[0]), str(folder / "made.csv"), "--study", "other").exit_code == 2


def test_a_forecast_is_not_written_over_and_not_edited(run, registered, fitted, tmp_path):
    folder, _ = registered
    words = ("predict", str(fitted[0]), "--at", "params=1e6", "--at", "tokens=1e7")
    answer = run(*words, "--register", str(folder / "told.json"))
    assert (answer.exit_code, "is not written over" in answer.stderr) == (6, True)
    edited = tmp_path / "edited.json"
    edited.write_text((folder / "told.json").read_text(encoding="utf-8").replace("0.95", "0.5"), encoding="utf-8")
    answer = run("score", str(edited), str(folder / "made.csv"))
    assert (answer.exit_code, "is not what was registered" in answer.stderr) == (6, True)


def test_only_a_saved_study_registers(run, tmp_path):
    words = (
        "predict",
        "--law",
        "chinchilla",
        "--constants",
        "besiroglu2024",
        "--at",
        "params=1e9",
        "--at",
        "tokens=1e10",
    )
    answer = run(*words, "--register", str(tmp_path / "told.json"))
    assert (answer.exit_code, "what a SAVED folder predicts" in answer.stderr) == (2, True)


def test_sizes_are_compared_replicate_by_replicate(run, fitted):
    """Against the ensemble's own predictions: the share in which each is the least, and paired differences."""
    told = json.loads(
        run("predict", str(fitted[0]), "--at", "params=1e6,3e6,9e6", "--at", "flops=1e15", "--json").stdout
    )
    ensemble = js.load(fitted[0]).ensemble
    sizes = {"params": [1e6, 3e6, 9e6], "tokens": [1e15 / 6 / one for one in (1e6, 3e6, 9e6)]}
    losses = predict_ensemble(ensemble, sizes)[ensemble.usable]
    least = np.argmin([one["loss"]["value"] for one in told["predictions"]])
    for at, one in enumerate(told["predictions"]):
        assert one["least_share"] == pytest.approx(np.mean(losses.argmin(axis=1) == at))
        low, high = np.quantile(losses[:, at] - losses[:, least], [0.025, 0.975])
        assert (one["beyond_lowest"]["low"], one["beyond_lowest"]["high"]) == pytest.approx((low, high), abs=1e-12)
    alone = json.loads(run("predict", str(fitted[0]), "--at", "params=1e6", "--at", "flops=1e15", "--json").stdout)
    assert alone["predictions"][0]["least_share"] is None
