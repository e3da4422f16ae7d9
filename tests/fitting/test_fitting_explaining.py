"""A label that tells the residuals of one law apart is named with a command that this table can carry."""

from dataclasses import replace

import numpy as np
import pytest

from jaxscale.fitting.explaining import findings_of_labels
from jaxscale.fitting.groups import by_group, check_group_sizes


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
