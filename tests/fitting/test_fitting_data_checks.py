"""What a fit shows of its table: a target that is no loss, and labels that tell the runs' kinds apart."""

from dataclasses import replace

import numpy as np
import pytest

import jaxscale as js
from jaxscale.errors import RunsError
from jaxscale.finding import Finding
from jaxscale.fitting.data_checks import findings_of_labels, findings_of_target
from jaxscale.fitting.groups import by_group, check_group_sizes
from jaxscale.laws import LAWS
from jaxscale.runs import Runs


@pytest.fixture
def constant(epoch_fit):
    """A function that gives a table the fit of a law whose best prediction is a constant, as where the target rises."""

    def fitted(runs, law="chinchilla", header="loss"):
        runs = replace(runs, origin=replace(runs.origin, columns={**runs.origin.columns, "loss": header}))
        log = np.log(runs.loss)
        return replace(epoch_fit, law=LAWS.resolve(law), runs=runs, residuals=np.median(log) - log)

    return fitted


def said(fit):
    return next((one.message for one in findings_of_target(fit)), None)


def sizes(rows=40, seed=0):
    random = np.random.default_rng(seed)
    params, tokens = 10 ** random.uniform(7, 10, rows), 10 ** random.uniform(9, 11.5, rows)
    return params, tokens, 1.8 + 480 / params**0.35 + 2100 / tokens**0.37


def test_an_accuracy_is_told_with_what_falls_in_its_place(constant):
    params, tokens, loss = sizes()
    for accuracy, option in ((0.9 - loss / 10, "'1 - acc'"), (90 - 10 * loss, "'1 - acc / 100'")):
        message = said(constant(Runs.from_arrays(params=params, tokens=tokens, loss=accuracy), header="acc"))
        assert "rises in 100% of the pairs" in message
        assert f"--map loss={option}" in message


def test_compute_alone_shows_that_a_target_rises(field, constant):
    runs = js.read_runs(field / "accuracy_as_loss.csv", map={"loss": "acc"}, inputs=("flops",))
    assert "--map loss='1 - acc'" in said(constant(runs, "power", header="acc"))


def test_a_header_in_words_is_quoted_for_an_expression(constant):
    params, tokens, loss = sizes()
    runs = Runs.from_arrays(params=params, tokens=tokens, loss=0.9 - loss / 10)
    assert "--map loss='1 - `eval acc`'" in said(constant(runs, header="eval acc"))


@pytest.mark.parametrize(
    "unit", ["nats per token", "bits per token", "bits per byte", "nats per character", "top-1 error"]
)
def test_losses_in_any_unit_are_left_alone(constant, unit):
    params, tokens, loss = sizes()
    factor = {"nats per token": 1, "bits per token": 1.4427, "bits per byte": 0.33, "nats per character": 0.25}.get(
        unit, 0.1
    )
    runs = Runs.from_arrays(params=params, tokens=tokens, loss=loss * factor)
    assert said(constant(runs, header=unit)) is None


@pytest.mark.parametrize(
    ("header", "words"), [("loss", "above 12"), ("ppl", "'log(ppl)'"), ("Val Perplexity", "logarithm")]
)
def test_a_perplexity_is_told_by_its_size_or_its_name(constant, header, words):
    params, tokens, loss = sizes()
    message = said(constant(Runs.from_arrays(params=params, tokens=tokens, loss=np.exp(loss)), header=header))
    assert words in message
    assert "log(" in message


def test_the_logarithm_of_a_perplexity_is_a_loss_whatever_it_is_made_from(constant):
    params, tokens, loss = sizes()
    assert said(constant(Runs.from_arrays(params=params, tokens=tokens, loss=loss), header="log(ppl)")) is None


def test_a_percentage_of_errors_that_falls_is_no_perplexity(constant):
    params, tokens, loss = sizes()
    assert said(constant(Runs.from_arrays(params=params, tokens=tokens, loss=20 * loss), header="error_rate")) is None


def test_larger_models_that_are_worse_on_few_tokens_are_no_accuracy(field, constant):
    assert said(constant(js.read_runs(field / "bigger_worse.csv"))) is None


def test_at_one_budget_nothing_can_be_compared(constant):
    params = np.geomspace(1e7, 1e10, 12)
    loss = 3 + 0.1 * np.log10(params / 1e8)
    assert said(constant(Runs.from_arrays(params=params, tokens=1e19 / params, loss=loss))) is None


def test_a_law_that_rises_itself_may_have_a_target_that_does(constant):
    params, tokens, loss = sizes()
    fit = constant(Runs.from_arrays(params=params, tokens=tokens, loss=0.9 - loss / 10))
    assert said(fit)
    assert said(replace(fit, residuals=np.zeros(len(params)))) is None


def test_runs_that_differ_in_another_input_are_not_compared(constant):
    """More epochs on a set that is used up may raise the loss."""
    random = np.random.default_rng(4)
    params, tokens, unique = np.full(20, 1e8), np.geomspace(1e9, 1e11, 20), 10 ** random.uniform(8, 9, 20)
    runs = Runs.from_arrays(params=params, tokens=tokens, unique_tokens=unique, loss=np.linspace(3, 4, 20))
    assert said(constant(runs))
    assert said(constant(runs, "data-constrained")) is None


def test_whoever_says_that_the_target_is_right_is_believed(constant):
    params, tokens, loss = sizes()
    runs = Runs.from_arrays(params=params, tokens=tokens, loss=np.exp(loss), units_ok=True)
    assert said(constant(runs)) is None


def test_the_real_tables_hold_losses(shared_data, constant):
    names = ["datablations", "epoch_chinchilla", "farseer_train", "gadre_overtrain", "porian_isoflop_rw", "scan_llm"]
    for name in names:
        assert said(constant(js.read_runs(shared_data / f"{name}.csv", map={"loss": "loss"}))) is None, name
    assert said(constant(js.datasets.load("pilot"))) is None


def test_two_hundred_simulated_tables_of_losses_are_left_alone(constant):
    """Noise of Student's t at three degrees of freedom on designs of 1e18 to 1e24 FLOP; at most four may be asked."""
    asked = 0
    for seed in range(200):
        random = np.random.default_rng(seed)
        low = random.uniform(18, 23)
        rows = int(random.integers(6, 50))
        flops = 10 ** random.uniform(low, random.uniform(low, 24), rows)
        params = np.sqrt(flops / 120) * 10 ** random.normal(0, random.uniform(0.05, 0.8), rows)
        tokens = flops / 6 / params
        loss = (1.8 + 480 / params**0.35 + 2100 / tokens**0.37) * np.exp(0.01 * random.standard_t(3, rows))
        asked += said(constant(Runs.from_arrays(params=params, tokens=tokens, loss=loss))) is not None
    assert asked <= 4


@pytest.mark.parametrize("code", ["units-suspect", "target-suspect"])
def test_no_frontier_is_made_of_a_fit_to_such_a_table(epoch_fit, code):
    fit = replace(epoch_fit, findings=(Finding(code, "it is in millions"),))
    with pytest.raises(RunsError, match="nothing is planned from this table: it is in millions"):
        js.frontier(fit, flops=1e22)


@pytest.fixture
def labelled(epoch_fit):
    """A function that gives the runs of a fit labels and residuals of one's own."""

    def fitted(residuals, **labels):
        rows = np.arange(len(residuals))
        runs = epoch_fit.runs.take(rows, "where")
        columns = {name: np.asarray(values, dtype=object) for name, values in labels.items()}
        return replace(epoch_fit, runs=replace(runs, labels=columns), residuals=np.asarray(residuals))

    return fitted


def two_kinds(rows=40, step=0.05, noise=0.01, seed=0):
    random = np.random.default_rng(seed)
    kind = random.permutation(np.resize(["bpe", "bytes"], rows))
    return kind, step * (kind == "bytes") + random.normal(0, noise, rows)


def test_two_tokenizers_are_named_with_a_command_that_the_table_carries(labelled):
    kind, residuals = two_kinds()
    noise = np.random.default_rng(1).choice(["a", "b", "c"], len(kind))
    fit = labelled(residuals, tokenizer=kind, machine=noise)
    (found,) = findings_of_labels(fit)
    assert "--group tokenizer --per-group E,A,B" in found.message
    runs, law = by_group(replace(fit.runs, group=fit.runs.labels["tokenizer"]), fit.law, ("E", "A", "B"))
    check_group_sizes(runs, law, law.names)


def test_the_share_that_is_told_is_that_of_an_analysis_of_variance(labelled):
    from scipy.stats import f_oneway

    kind, residuals = two_kinds(step=0.03)
    (found,) = findings_of_labels(labelled(residuals, tokenizer=kind))
    ratio = f_oneway(residuals[kind == "bpe"], residuals[kind == "bytes"]).statistic
    share = ratio / (ratio + len(kind) - 2)  # for two groups F = share / (1 - share) · (n - 2)
    assert f"{share:.0%} of the squared residuals" in found.message


def test_eight_kinds_get_as_many_coefs_as_are_fitted_at_once(labelled):
    kind = np.resize(list("abcdefgh"), 80)
    residuals = np.resize(np.arange(8), 80) + np.random.default_rng(0).normal(0, 0.1, 80)
    (found,) = findings_of_labels(labelled(residuals, kind=kind))
    own = found.message.partition("--per-group ")[2].split(",")
    fit = labelled(residuals, kind=kind)
    by_group(replace(fit.runs, group=fit.runs.labels["kind"]), fit.law, own)


@pytest.mark.parametrize("name", ["run", "state"])
def test_names_of_runs_and_their_state_are_no_kinds(labelled, name):
    kind, residuals = two_kinds()
    assert findings_of_labels(labelled(residuals, **{name: kind})) == ()


def test_a_kind_of_few_runs_is_left_to_be_an_outlier(labelled):
    residuals = np.r_[np.random.default_rng(0).normal(0, 0.01, 36), np.full(4, 0.3)]
    assert findings_of_labels(labelled(residuals, kind=["a"] * 36 + ["b"] * 4)) == ()


def test_labels_that_have_nothing_to_do_with_the_residuals_are_not_named(labelled):
    for seed in range(200):
        random = np.random.default_rng(seed)
        count = int(random.integers(10, 60))
        labels = {
            name: random.choice(list("abcdefgh")[: random.integers(2, 9)], count) for name in ("one", "two", "three")
        }
        assert findings_of_labels(labelled(random.standard_t(3, count), **labels)) == ()
