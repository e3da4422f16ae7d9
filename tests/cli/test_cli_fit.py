"""`jaxscale fit`: the document of the contract, the page for people, and fits that are not to be trusted."""

import json
import re
import signal
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
from cli_commands import COMMAND, TABLE

from jaxscale import datasets
from jaxscale.allocation.budgets import FACTORS
from jaxscale.status import Status
from jaxscale.studying import making

CONTRACT = {
    "": "schema_version law objective data coefs objective_value status certificate bootstrap frontier warnings "
    "provenance",
    "objective": "name space delta",
    "data": "source sha256 rows used columns",
    "certificate": "scaled_gradient condition starts agreeing_starts other_minima",
    "bootstrap": "scheme replicates usable failed seed interval level coefs",
    "provenance": "jaxscale jax python backend precision seconds",
}


@pytest.mark.parametrize("part", CONTRACT)
def test_the_document_has_every_field_of_the_contract(fitted, part):
    whole = fitted[1]
    assert set(CONTRACT[part].split()) <= set(whole[part] if part else whole)


def test_the_documents_coefs_are_those_of_the_python_interface(fitted):
    from jaxscale import datasets
    from jaxscale.fitting import fit
    from jaxscale.refitting import resample

    own = fit(datasets.load("pilot"))
    ensemble = resample(own, replicates=60)
    document = fitted[1]
    assert document["coefs"] == pytest.approx(own.coefs, rel=1e-9)
    limits = document["bootstrap"]["coefs"]["alpha"]
    band = ensemble.interval("alpha")
    assert [limits["low"], limits["high"]] == pytest.approx([band.lower, band.upper], rel=1e-6)
    assert limits["std"] == pytest.approx(np.std(ensemble.coefs["alpha"], ddof=1), rel=1e-6)


def test_a_frontier_row_has_a_band_for_each_quantity(fitted):
    for row in fitted[1]["frontier"]:
        for quantity in ("params", "tokens", "loss", "tokens_per_param"):
            assert row[quantity]["low"] < row[quantity]["value"] < row[quantity]["high"]
        assert 6.0 * row["params"]["value"] * row["tokens"]["value"] == pytest.approx(row["flops"], rel=1e-9)


def test_the_shipped_table_is_called_by_its_name_everywhere(run, fitted):
    assert fitted[1]["data"]["source"] == "pilot"
    rows = fitted[1]["data"]["rows"]
    assert f"data       pilot: {rows} of {rows} runs used; none left out" in run("frontier", fitted[0]).stdout


def test_default_budgets_are_those_of_a_study_multiples_of_the_largest_measured_compute(run):
    document = json.loads(run("fit", "--replicates", "0", "--json").stdout)
    pilot = datasets.load("pilot")
    largest = 6.0 * float(np.max(pilot["params"] * pilot["tokens"]))
    np.testing.assert_allclose([row["flops"] for row in document["frontier"]], largest * np.array(FACTORS), rtol=1e-12)
    stated = ", ".join(f"{factor:g}" for factor in FACTORS[:-1]) + f" and {FACTORS[-1]:g}"
    said = f"[default: {stated} times the largest measured compute]"
    assert said in " ".join(run("fit", "--help").stdout.split())


def test_budgets_far_beyond_the_data_carry_a_banner(run, fitted):
    assert "extrapolation" in [warning["code"] for warning in fitted[1]["warnings"]]
    assert "\nExtrapolation: " in run("frontier", fitted[0]).stdout
    assert "Extrapolation: " not in run("frontier", fitted[0], "--flops", "1e12").stdout


def test_the_page_states_seed_backend_versions_rows_and_where_it_was_saved(run):
    page = run(*COMMAND, "--seed", "7", "--where", "params > 3e4").stdout
    for pattern in (
        r"pairs, seed 7: 60 of 60 replicates usable \(60 converged\)",
        r"pilot: \d+ of \d+ runs used; left out: \d+ by --where",
        r"jaxscale \S+, JAX \S+, Python \S+, on cpu in float64",
        r"compiling .* s, running .* s",
        r"columns    params, tokens, flops, loss",
        r"\n\nSaved: (jaxscale-out/chinchilla-[0-9a-f]{8}) — next: jaxscale frontier \1 or jaxscale plot \1\n$",
    ):
        assert re.search(pattern, page), page


def test_a_pipe_gets_one_line_per_record_and_no_escape_codes(run):
    page = run(*COMMAND).stdout
    assert "\x1b" not in page
    assert not any(line.endswith(" ") for line in page.splitlines())
    assert sum(line.startswith("repeated-seeds") for line in page.splitlines()) == 1


def test_nothing_is_written_to_stderr_without_a_terminal(run):
    assert run(*COMMAND).stderr == ""


def test_no_replicates_means_no_bands_and_a_warning_that_says_so(run):
    document = json.loads(run("fit", "--replicates", "0", "--json").stdout)
    assert document["bootstrap"] is None
    assert document["frontier"][0]["params"]["low"] is None
    assert "no-bands" in [warning["code"] for warning in document["warnings"]]


def test_a_fixed_coef_stays_and_has_no_interval(run):
    document = json.loads(run(*COMMAND, "--fix", "alpha=0.34", "--json").stdout)
    assert document["coefs"]["alpha"] == 0.34
    assert document["fixed"] == ["alpha"]
    assert "alpha" not in document["bootstrap"]["coefs"]


def test_every_coef_fixed_is_an_evaluation(run):
    fixed = [word for pair in ("E=1.8", "A=480", "B=2100", "alpha=0.35", "beta=0.37") for word in ("--fix", pair)]
    result = run(*COMMAND, *fixed)
    assert result.exit_code == 0, result.stderr
    assert "every coef was held fixed" in result.stdout


def test_a_law_without_a_trade_off_is_fitted_all_the_same(run):
    result = run(*COMMAND, "--law", "pure-power-params", "--json")
    document = json.loads(result.stdout)
    assert result.exit_code == 0
    assert document["frontier"] == []
    assert "no-frontier" in [warning["code"] for warning in document["warnings"]]
    again = run(*COMMAND, "--law", "pure-power-params")
    assert re.search(r"Saved: (\S+) — next: jaxscale plot \1$", again.stdout.rstrip())


def test_null_in_a_frontier_is_explained(run):
    document = json.loads(run("fit", "--replicates", "0", "--law", "pure-power", "--json").stdout)
    assert document["frontier"][0]["params"]["value"] is None
    (reason,) = [warning["message"] for warning in document["warnings"] if warning["code"] == "absent-numbers"]
    assert "params, tokens" in reason


def test_losses_below_zero_are_allowed_in_linear_space_only(run, own_folder):
    (own_folder / "t.csv").write_text(TABLE.replace("2.3", "-0.1"))
    assert run("fit", "t.csv", "--replicates", "0", "--law", "power").exit_code == 3
    allowed = run("fit", "t.csv", "--replicates", "0", "--law", "power", "--space", "linear")
    assert allowed.exit_code in (0, 4), allowed.stderr
    assert "nonpositive-loss" in allowed.stdout


def test_a_table_comes_from_standard_input_too(run):
    result = run("fit", "-", "--replicates", "0", "--law", "pure-power", "--json", input=TABLE)
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["data"]["source"] == "<stdin>"


def test_text_from_a_table_cannot_forge_the_page(run, own_folder):
    hostile = '"\x1b[2J[red]N\u202e"'
    (own_folder / "t.csv").write_text(TABLE.replace("params", hostile), encoding="utf-8")
    result = run("fit", "t.csv", "--replicates", "0", "--law", "pure-power", "--map", f"params={hostile[1:-1]}")
    assert result.exit_code == 0, result.stderr
    assert "\x1b" not in result.stdout
    assert "\u202e" not in result.stdout
    assert "params from '\\x1b[2J[red]N\\u202e'" in result.stdout


def test_a_fit_that_is_no_minimum_is_printed_and_exits_with_4(run, monkeypatch):
    own = making.fit
    monkeypatch.setattr(making, "fit", lambda *given, **named: replace(own(*given, **named), status=Status.STALLED))
    result = run(*COMMAND, "--json")
    document = json.loads(result.stdout)
    assert result.exit_code == 4
    assert document["status"] == "stalled"
    assert document["bootstrap"] is None
    assert document["frontier"] == []


def failing(share):
    own = making.resample

    def resample(*given, **named):
        ensemble = own(*given, **named)
        status = ensemble.status.copy()
        status[: round(share * len(status))] = Status.MAX_STEPS
        return replace(ensemble, status=status)

    return resample


def test_most_replicates_failed_means_no_interval_and_exit_4(run, monkeypatch):
    monkeypatch.setattr(making, "resample", failing(0.6))
    result = run(*COMMAND, "--json")
    document = json.loads(result.stdout)
    assert result.exit_code == 4
    assert document["bootstrap"]["failed"] == {"max_steps": 36}
    assert document["bootstrap"]["coefs"]["alpha"] == {"low": None, "high": None, "std": None, "log_std": None}
    assert document["frontier"][0]["loss"]["low"] is None


def test_some_replicates_failed_means_a_warning_and_exit_0(run, monkeypatch):
    monkeypatch.setattr(making, "resample", failing(0.2))
    result = run(*COMMAND)
    assert result.exit_code == 0
    assert "intervals-unreliable  20.0% of the replicates failed" in result.stdout


def test_an_interrupted_bootstrap_leaves_the_fit_and_exits_with_130(run, monkeypatch, own_folder):
    def interrupt(*given, **named):
        raise KeyboardInterrupt

    monkeypatch.setattr(making, "resample", interrupt)
    result = run(*COMMAND, "--out", "kept")
    assert result.exit_code == 130
    assert "the fit without bands is in kept" in result.stderr
    monkeypatch.undo()
    monkeypatch.chdir(own_folder)
    assert "Efficient frontier, C = 6 N D, without bands" in run("frontier", "kept").stdout


@pytest.fixture
def heard():
    """Let Ctrl-C interrupt, also where the tests were started with it ignored, as in the background of a shell."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heard")
def test_an_interrupt_that_was_lost_in_a_callback_still_ends_the_command(run, monkeypatch):
    def lose(*given, **named):
        with suppress(KeyboardInterrupt):  # as in a callback of the garbage collector, whose exceptions are ignored
            signal.raise_signal(signal.SIGINT)
        return own(*given, **named)

    own = making.resample
    monkeypatch.setattr(making, "resample", lose)
    assert run(*COMMAND, "--out", "lost").exit_code == 130


@pytest.mark.usefixtures("heard")
def test_an_interrupt_that_breaks_an_import_is_an_interrupt(run, monkeypatch):
    def broken(*given, **named):
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise ImportError("initialising the extension") from None

    monkeypatch.setattr(making, "fit", broken)
    result = run(*COMMAND)
    assert result.exit_code == 130
    assert result.stderr == "interrupted\n"


def test_plot_adds_the_figures_in_the_width_that_is_asked_for_and_names_them(run, own_folder):
    document = json.loads(run(*COMMAND, "--plot", "--width", "column", "--out", "drawn", "--json").stdout)
    assert document["saved"] == "drawn"
    assert document["figures"]
    wide = {int.from_bytes((own_folder / path).read_bytes()[16:20], "big") for path in document["figures"]}
    assert wide == {650}  # 3.25 inches of 200 dots


def test_real_tables_are_fitted_as_they_are(run, shared_data):
    options = ("--replicates", "40", "--where", "loss < 3.44", "--json")
    result = run("fit", shared_data / "epoch_chinchilla.csv", *options)
    document = json.loads(result.stdout)
    assert document["status"] == "converged"
    assert document["data"]["rows"] >= document["data"]["used"] > 200
