"""Which column is what: asked where two could be meant, found behind a tracker's prefix, never taken in silence."""

import re
import shlex
from itertools import pairwise

import numpy as np
import pytest

from jaxscale.errors import RunsError
from jaxscale.runs import read_runs

COLUMN = "COLUMN"
"""What stands in a message where no column comes to mind."""


def table(**columns):
    """The text of a table whose columns are given under their names, two underscores being a dot."""
    header = ",".join(name.replace("__", ".") for name in columns)
    return "\n".join([header, *(",".join(map(str, row)) for row in zip(*columns.values(), strict=True))]) + "\n"


def sizes(**columns):
    return table(params=[1e8, 2e8, 4e8], tokens=[2e9, 4e9, 8e9], **columns)


def proposals(message):
    """Return the --map options that a message asks for."""
    words = shlex.split(message.splitlines()[-1].partition(":")[2])
    return dict(word.split("=", 1) for before, word in pairwise(words) if before == "--map")


ASKED = {
    "loss-beside-eval": (sizes(eval_loss=[3.5, 3.2, 3.0], loss=[3.6, 3.1, 3.1]), {"loss": "eval_loss"}),
    "loss-beside-val-behind-prefixes": (
        table(
            config__n_params=[1e8, 2e8], config__tokens=[1e9, 2e9],
            **{"summary.loss": [3.2, 3.1], "summary.eval/loss": [3.4, 3.3]},
        ),
        {"loss": "summary.eval/loss"},
    ),
    "val-beside-test": (sizes(test_loss=[3.5, 3.2, 3.0], val_loss=[3.6, 3.1, 3.1]), {"loss": "val_loss"}),
    "last-beside-best": (sizes(final_val_loss=[3.5, 3.2, 3.0], best_val_loss=[3.4, 3.1, 2.9]), None),
    "text-beside-counts": (
        table(model_size=["1M", "2M"], total_params=[1.2e6, 2.3e6], tokens=[1e8, 2e8], loss=[5, 4]),
        {"params": "total_params"},
    ),
    "text-first": (
        table(params=["1M", "2M"], n_params=[1.2e6, 2.3e6], tokens=[1e8, 2e8], loss=[5, 4]), {"params": "n_params"}
    ),
    "flops-per-token": (
        sizes(flops=[6e8, 1.2e9, 2.4e9], total_flops=[1.2e18, 4.8e18, 1.9e19], loss=[3.5, 3.2, 3.0]),
        {"flops": "total_flops"},
    ),
    "flops-per-token-without-tokens": (
        table(params=[1e8, 2e8], flops=[6e8, 1.2e9], total_flops=[1.2e18, 4.8e18], loss=[3.5, 3.2]),
        {"flops": "total_flops"},
    ),
    "tokens-beside-tokens-seen": (
        table(params=[1e8, 2e8], tokens=[1e9, 1e9], tokens_seen=[1e9, 3e9], loss=[3.5, 3.2]),
        {"tokens": "tokens_seen"},
    ),
    "two-roles-at-once": (
        table(n_params=[1, 2], num_params=[2, 3], tokens=[1e9, 1e9], loss=[3.5, 3.2], val_loss=[3.6, 3.3]), None
    ),
    "a-header-with-spaces": (sizes(**{"Final Loss": [3.5, 3.2, 3.0], "Eval Loss": [3.6, 3.1, 3.1]}), None),
    "no-loss-but-accuracy": (sizes(acc=[0.3, 0.4, 0.5]), {"loss": "1 - acc"}),
    "no-loss-but-accuracy-in-percent": (sizes(acc=[30, 40.5, 50]), {"loss": "1 - acc / 100"}),
    "no-loss-but-perplexity": (sizes(**{"val ppl": [33.0, 24.0, 20.0]}), {"loss": "log(`val ppl`)"}),
    "no-loss-but-another": (sizes(train_loss=[3.5, 3.2, 3.0]), {"loss": "train_loss"}),
    "no-loss-but-held-out-and-training": (
        sizes(**{"loss/train": [3.5, 3.2, 3.0], "loss/val": [3.6, 3.3, 3.1]}), {"loss": "loss/val"}
    ),
    "no-tokens-but-steps": (
        table(params=[1e8, 2e8], steps=[1000, 2000], global_batch_size=[256, 256], seq_len=[2048, 2048], loss=[3, 2]),
        {"tokens": "steps * global_batch_size * seq_len"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ASKED)
def test_what_a_question_proposes_reads_the_table_that_raised_it(read, name):
    text, expected = ASKED[name]
    with pytest.raises(RunsError) as refused:
        read(text)
    told = proposals(str(refused.value))
    assert expected is None or told == expected
    assert told
    assert COLUMN not in told.values()
    assert len(str(refused.value).splitlines()) <= 3
    runs = read(text, map=told)
    assert np.isfinite(runs.loss).all()


@pytest.mark.parametrize(
    "name", [name for name in ASKED if "-beside-" in name and "text" not in name and "tokens" not in name]
)
def test_any_other_choice_is_taken_too(read, name):
    text, _ = ASKED[name]
    for header in text.splitlines()[0].split(","):
        if header.endswith("loss"):
            assert read(text, map={"loss": header}).origin.columns["loss"] == header


NOT_ASKED = {
    "a-letter-beside-a-name": (table(N=[7, 8], params=[1e8, 2e8], tokens=[1e9, 2e9], loss=[3, 2]), {}),
    "layers-beside-a-loss": (table(N=[1e8, 2e8], D=[1e9, 2e9], L=[12, 24], val_loss=[3, 2]), {"loss": "val_loss"}),
    "the-shape-of-a-network": (
        table(L=[12, 24], D=[512, 768], N=[1e8, 2e8], tokens=[1e9, 2e9], loss=[3, 2]),
        {"params": "N", "tokens": "tokens"},
    ),
    "billions-beside-named-layers": (
        table(N=[7, 13], D=[20, 40], L=[2.1, 2.0], n_layers=[32, 40], d_model=[4096, 5120]),
        {"params": "N", "tokens": "D"},
    ),
    "the-same-numbers-twice": (sizes(loss=[3.5, 3.2, 3.0], val_loss=[3.5, 3.2, 3.0]), {"loss": "loss"}),
    "rounded-to-three-digits": (
        table(params=[1.236e8, 2e8], n_params=[123_640_320, 200_000_000], tokens=[1e9, 2e9], loss=[3, 2]),
        {"params": "params"},
    ),
    "training-loss": (sizes(train_loss=[3.1, 3.0, 2.9], val_loss=[3.5, 3.2, 3.0]), {"loss": "val_loss"}),
    "losses-by-set": (sizes(loss=[3.5, 3.2, 3.0], loss_c4=[3.6, 3.3, 3.1], loss_ptb=[3.7, 3.4, 3.2]), {"loss": "loss"}),
    "qualified-sizes": (
        sizes(params_non_embedding=[9e7, 1.9e8, 3.9e8], active_params=[5e7, 6e7, 7e7], loss=[3.5, 3.2, 3.0]),
        {"params": "params"},
    ),
    "a-column-of-words": (table(params=["small", "base"], n_params=[1e8, 2e8], tokens=[1e9, 2e9], loss=[3, 2]), {}),
    "a-set-beside-tokens": (sizes(dataset_size=[1e9, 1e9, 1e9], loss=[3.5, 3.2, 3.0]), {"tokens": "tokens"}),
    "wandb": (
        table(config__n_params=[1e8, 2e8], config__tokens=[1e9, 2e9], config__lr=[1, 2], summary__val_loss=[3, 2]),
        {"params": "config.n_params", "loss": "summary.val_loss"},
    ),
    "mlflow": (
        table(params__N=[1e8, 2e8], params__tokens=[1e9, 2e9], metrics__loss=[3, 2]), {"params": "params.N"}
    ),
    "nested": (
        table(config__model__num_params=[1e8, 2e8], config__data__tokens=[1e9, 2e9], summary__eval__loss=[3, 2]),
        {"params": "config.model.num_params", "loss": "summary.eval.loss"},
    ),
    "hparams": (
        table(**{"hparams/n_params": [1e8, 2e8], "hparams/tokens": [1e9, 2e9], "metrics/eval/loss": [3, 2]}),
        {"params": "hparams/n_params"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NOT_ASKED)
def test_a_table_whose_columns_are_clear_raises_no_question(read, name):
    text, expected = NOT_ASKED[name]
    assert expected.items() <= read(text).origin.columns.items()


@pytest.mark.parametrize("header", ["train/loss", "train_loss", "summary.train/loss", "summary.train_loss"])
def test_a_training_loss_is_no_loss_behind_its_prefix_either(read, header):
    assert read(sizes(**{header: [3.1, 3.0, 2.9], "val_loss": [3.5, 3.2, 3.0]})).origin.columns["loss"] == "val_loss"


@pytest.mark.parametrize(
    "text",
    [
        table(N=[1e8, 2e8], D=[1e9, 2e9], L=[12, 24], d_model=[512, 768]),
        table(N=[1e8, 2e8], D=[1e9, 2e9], L=[12, 24], loss_c4=[3.4, 3.2]),
    ],
)
def test_whole_numbers_under_l_are_layers_beside_a_width_or_a_loss(read, text):
    with pytest.raises(RunsError, match="no column for loss"):
        read(text)


def test_letters_alone_are_sizes_and_a_loss(read):
    runs = read(table(N=[1e8, 2e8], D=[1e9, 2e9], C=[6e17, 2.4e18], L=[3, 2]))
    assert runs.origin.columns == {"params": "N", "tokens": "D", "flops": "C", "loss": "L"}


def test_a_letter_that_cannot_be_compute_is_a_column_of_its_own(read):
    runs = read(table(N=[1e8, 2e8, 4e9], D=[1e9, 2e9, 8e10], C=[1, 2, 3], L=[3.1, 2.2, 2.1]))
    assert "flops" in runs.origin.derived
    np.testing.assert_array_equal(runs["C"], [1, 2, 3])


@pytest.mark.parametrize("header", ["dataset_size", "unique tokens", "config.dataset_size"])
def test_a_set_seen_several_times_is_its_size_times_the_epochs_and_that_is_said(read, header):
    text = table(params=[1e8, 2e8], **{header: [1e9, 2e9]}, epochs=[1, 4], loss=[3.1, 3.0])
    runs = read(text, inputs=("params", "tokens", "unique_tokens"))
    np.testing.assert_array_equal(runs["tokens"], [1e9, 8e9])
    np.testing.assert_array_equal(runs["unique_tokens"], [1e9, 2e9])
    assert runs.origin.derived["tokens"].endswith(" * epochs")
    (said,) = [finding.message for finding in runs.findings if finding.code == "epochs-multiplied"]
    told = shlex.split(re.search(r"--map (tokens=.*)$", said).group(1))[0].partition("=")[2]
    np.testing.assert_array_equal(read(text, map={"tokens": told})["tokens"], [1e9, 2e9])


def test_the_letter_of_tokens_goes_before_a_product_but_not_if_it_is_a_width(read):
    columns = {"N": [1e8, 2e8], "dataset_size": [1e9, 2e9], "epochs": [2, 4], "loss": [3.1, 3.0]}
    assert read(table(**columns, D=[2e9, 8e9])).origin.columns["tokens"] == "D"
    assert read(table(**columns, D=[512, 768])).origin.derived["tokens"] == "dataset_size * epochs"


def test_tokens_that_are_there_are_not_multiplied(read):
    runs = read(sizes(unique_tokens=[1e9, 1e9, 1e9], epochs=[2, 4, 8], loss=[3.1, 3.0, 2.9]))
    np.testing.assert_array_equal(runs["tokens"], [2e9, 4e9, 8e9])


def test_one_column_may_be_two_inputs(read):
    inputs = ("params", "tokens", "unique_tokens")
    for told in ({"unique_tokens": "tokens"}, {"unique_tokens": "tokens", "tokens": "tokens"}):
        runs = read(sizes(loss=[3.5, 3.2, 3.0]), inputs=inputs, map=told)
        np.testing.assert_array_equal(runs["unique_tokens"], runs["tokens"])


@pytest.mark.parametrize("told", [{"params": "loss"}, {"loss": "params"}, {"weight": "loss"}, {"tokens": "params"}])
def test_one_column_is_not_a_loss_and_an_input_nor_two_sizes(read, told):
    with pytest.raises(RunsError, match="cannot be the same numbers"):
        read(sizes(loss=[3.5, 3.2, 3.0]), map=told)


@pytest.mark.parametrize("header", ["sigma", "loss_std", "stderr", "SE", "summary.loss_stderr"])
def test_a_column_of_standard_errors_is_never_used_in_silence(read, header):
    text = sizes(loss=[3.5, 3.2, 3.0], **{header: [0.01, 0.02, 0.03]})
    unused, weight, used = read(text), read(text, map={"weight": header}), read(text, map={"sigma": header})
    assert [finding.code for finding in unused.findings] == ["errors-unused"]
    assert [finding.code for finding in weight.findings] == ["errors-as-weight"]
    assert used.findings == ()
    assert used.origin.columns["sigma"] == header
    np.testing.assert_array_equal(used.sigma, [0.01, 0.02, 0.03])
    assert unused.sigma is weight.sigma is None


@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_standard_errors_that_are_in_the_weights_already_are_not_advised_and_count_twice_if_given(read, scale):
    errors = np.array([0.01, 0.02, 0.03])
    text = sizes(loss=[3.5, 3.2, 3.0], stderr=errors, weight=[f"{scale / one**2:.3g}" for one in errors])
    assert read(text).findings == ()
    (twice,) = read(text, map={"sigma": "stderr"}).findings
    assert twice.code == "errors-twice"
    assert "leave --map sigma=stderr away" in twice.message
    other = sizes(loss=[3.5, 3.2, 3.0], stderr=errors, weight=[1, 2, 1])
    assert [finding.code for finding in read(other).findings] == ["errors-unused"]
    assert read(other, map={"sigma": "stderr"}).findings == ()


@pytest.mark.parametrize(("cell", "word"), [("0", "not above zero"), ("-0.1", "not above zero"), ("nan", "missing")])
def test_a_standard_error_that_is_none_is_refused_by_row(read, cell, word):
    with pytest.raises(RunsError, match=r"'se' \(sigma\): row 2 \(line 3\)") as refused:
        read(sizes(loss=[3.5, 3.2, 3.0], se=[0.1, cell, 0.1]), map={"sigma": "se"})
    assert word in str(refused.value)


def test_the_tables_of_the_field_are_asked_about_and_read(field):
    for name, told in (("two_losses", {"loss": "eval_loss"}), ("size_as_text", {"params": "total_params"})):
        with pytest.raises(RunsError) as refused:
            read_runs(field / f"{name}.csv")
        assert told.items() <= proposals(str(refused.value)).items()
    assert len(read_runs(field / "two_losses.csv", map={"loss": "eval_loss"})) == 25
    runs = read_runs(field / "size_as_text.csv", map={"params": "total_params", "tokens": "total_samples * 512"})
    assert runs["params"].max() == 751e6
    np.testing.assert_array_equal(runs["tokens"][:2], [300000 * 512, 647632 * 512])


def test_the_table_of_a_tracker_reads_once_its_crashed_run_is_left_out(field):
    path = field / "wandb_runs.csv"
    with pytest.raises(RunsError, match=r"'summary.eval/loss' \(loss\): row 3.*missing(.|\n)*--missing drop"):
        read_runs(path)
    assert len(read_runs(path, missing="drop")) == 10
    assert len(read_runs(path, where=["State == 'finished'", "lr > 0.0007"])) == 8
    columns = {"params": "config.n_params", "tokens": "config.tokens", "loss": "summary.eval/loss"}
    assert read_runs(path, missing="drop").origin.columns == columns
