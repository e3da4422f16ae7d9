"""Every published set of constants in the units that its law takes: against what its source prints, or measured."""

import numpy as np
import pytest

import jaxscale as js

RUN = {"params": 1e9, "tokens": 2e10}
PLAUSIBLE = (1.5, 4.0)
"""Nats per token of a network of 1e9 params on 2e10 tokens of text; the least are those of T5, of masked spans."""
PF_DAY = 8.64e19

PRINTED = {
    ("chinchilla", "hoffmann2022"): [({"params": 3.218986e10, "tokens": 2.982303e12}, 1.9307, 1e-4)],
    ("chinchilla", "hoffmann2022-tex"): [({"params": 4.036094e10, "tokens": 2.378536e12}, 1.9184, 1e-4)],
    ("chinchilla", "besiroglu2024"): [({"params": 7.2248703e10, "tokens": 1.3287436e12}, 1.9744411, 1e-7)],
    ("critical-batch", "kaplan2020"): [({"loss_reached": 2.6944432}, 1.8722625e6, 1e-6)],
    ("experts-sparsity", "abnar2025"): [
        ({**RUN, "idle_experts": 0.0}, 2.566, 3e-4),
        ({**RUN, "idle_experts": 0.9}, 2.702, 3e-4),
    ],
    ("farseer", "farseer2025"): [(RUN, 0.527, 1e-3), ({"params": 6.4e9, "tokens": 1.6e11}, 0.438, 2e-3)],
    ("granularity", "krajewski2024"): [
        ({"params": 1e9, "tokens": 1e11, "granularity": 1.0}, 3.0776, 3e-5),
        ({"params": 1e9, "tokens": 1e11, "granularity": 8.0}, 2.9418, 3e-5),
    ],
    ("steplaw-lr", "steplaw2025"): [({"params": 1e9, "tokens": 1e11}, 1.632e-3, 1e-3)],
    ("steplaw-batch", "steplaw2025"): [({"tokens": 1e11}, 1.108e6, 1e-3)],
    ("optimum-flops", "deepseek2024-lr"): [({"flops": 1e20}, 9.86e-4, 1e-3)],
    ("optimum-flops", "deepseek2024-batch"): [({"flops": 1e20}, 1.017e6, 1e-3)],
    ("optimum-params", "porian2024-lr"): [({"params": 108e6}, 0.00474, 1e-2)],
    ("optimum-params", "porian2024-batch"): [({"params": 108e6}, 164 * 2048, 1e-2)],
    ("kaplan", "kaplan2020"): [({"params": 1e9, "tokens": 22e9}, 2.3693163, 1e-7)],
    ("kaplan-compute", "kaplan2020"): [({"params": 5.8440824e8, "flops": PF_DAY}, 2.6944432, 1e-6)],
    ("kaplan-params", "kaplan2020"): [({"params": 1.5e9}, 2.3035506, 1e-7)],
    ("kaplan-tokens", "kaplan2020"): [({"tokens": 22e9}, 2.0991683, 1e-7)],
    ("kaplan-flops", "kaplan2020"): [({"flops": PF_DAY}, 1.6e7**0.057, 1e-9)],
    ("kaplan-flops-min", "kaplan2020"): [({"flops": PF_DAY}, 2.6580802, 1e-7)],
    ("kaplan-steps", "kaplan2020"): [({"params": 5.8440824e8, "steps_min": 13160.713}, 2.6944432, 1e-6)],
    ("data-constrained", "muennighoff2023"): [
        ({"params": 1e9, "tokens": 1e11, "unique_tokens": 25e9}, 2.4195275, 1e-7)
    ],
    ("routed", "clark2022-sbase"): [({"params": 1e8, "experts": 1.0}, 2.744, 3e-4)],
}
"""laws.md, its self-checks and the figures of its entries: inputs, what the law gives, relative digits printed."""

ROUGH = {
    **dict.fromkeys([("chinchilla", name) for name in ("besiroglu2024-outliers", "muennighoff2023-untied")], RUN),
    **dict.fromkeys([("chinchilla", name) for name in ("sardana2024-to-100", "sardana2024-all")], RUN),
    ("chinchilla", "krajewski2024-dense"): RUN,
    ("chinchilla-tied", "muennighoff2023"): RUN,
    **dict.fromkeys([("pearce", name) for name in ("pearce2024-besiroglu", "pearce2024-hoffmann")], RUN),
    ("routed", "clark2022-rlr"): {"params": 1e9, "experts": 8.0},
    ("routed", "clark2022-hash"): {"params": 1e9, "experts": 8.0},
    ("sparsity", "frantar2023-t5"): {**RUN, "sparsity": 0.0},
    **{
        ("overtraining", f"gadre2024-{name}"): {"flops": 6 * 1e9 * 2e10, "tokens_per_param": 20.0}
        for name in ("c4", "redpajama", "refinedweb")
    },
}
"""Sets of which no number is printed: the loss of one run, in nats per token."""

ELSEWHERE = {
    **dict.fromkeys(
        [("multi-power", f"luo2025-{size}") for size in ("25m", "100m", "400m")], "test_published_schedules"
    ),
    ("vocabulary", "tao2024"): "test_laws_vocabulary",
    ("sparsity", "frantar2023-vit"): "test_laws_sparsity: images, whose loss is no nats per token",
    **dict.fromkeys([("transfer", f"hernandez2021-{one}") for one in ("text", "half-code")], "gives characters"),
}


def predicted(law, constants, inputs):
    return float(js.predict(law, constants, **inputs))


def test_every_published_set_is_checked_in_its_units():
    named = {(law.name, one.name) for law in js.LAWS for one in law.published}
    assert named == {*PRINTED, *ROUGH, *ELSEWHERE}


@pytest.mark.parametrize("name", PRINTED, ids=":".join)
def test_a_published_set_gives_the_numbers_that_are_printed_of_it(name):
    for inputs, want, digits in PRINTED[name]:
        assert predicted(*name, inputs) == pytest.approx(want, rel=digits)


@pytest.mark.parametrize("name", ROUGH, ids=":".join)
def test_a_published_set_without_printed_numbers_gives_nats_per_token(name):
    low, high = PLAUSIBLE
    assert low < predicted(*name, ROUGH[name]) < high


@pytest.mark.parametrize("constants", ["hernandez2021-text", "hernandez2021-half-code"])
def test_what_pre_training_is_worth_is_counted_in_characters(constants):
    """Hernandez et al. 2021, figure 2: a tenth to a thousand times the data of fine-tuning, for 1e6 to 1e9 params."""
    for params, data in ((1e6, 3e6), (1e8, 1e7), (1e9, 1e8)):
        worth = predicted("transfer", constants, {"params": params, "finetuning_characters": data})
        assert 0.1 < worth / data < 1e4


MEASURED = (
    ("chinchilla", "besiroglu2024", "epoch_chinchilla.csv", "in_paper_fit == 1", {}),
    ("chinchilla", "besiroglu2024-outliers", "epoch_chinchilla.csv", "loss < 3.4", {}),
    ("chinchilla", "hoffmann2022-tex", "epoch_chinchilla.csv", "loss < 3.4", {}),
    ("chinchilla-tied", "muennighoff2023", "datablations.csv", "epochs <= 1", {}),
    ("data-constrained", "muennighoff2023", "datablations.csv", "in_fit182 == 1", {}),
    ("overtraining", "gadre2024-c4", "gadre_overtrain.csv", "experiment == 'c4_original'", {}),
    ("overtraining", "gadre2024-redpajama", "gadre_overtrain.csv", "experiment == 'rpj'", {}),
    ("overtraining", "gadre2024-refinedweb", "gadre_overtrain.csv", "experiment == 'rw_original'", {}),
    ("farseer", "farseer2025", "farseer_train.csv", "loss > 0", {"params": "N", "tokens": "D"}),
)


@pytest.mark.parametrize(("law", "constants", "table", "rows", "columns"), MEASURED)
def test_a_published_set_predicts_the_runs_of_its_authors(shared_data, law, constants, table, rows, columns):
    """Within their own residuals, 12 % for the runs of Muennighoff et al., whose base is fitted to those of others."""
    runs = js.read_runs(shared_data / table, where=[rows], map=columns or None)
    inputs = {name: runs.columns[name] for name in js.LAWS.resolve(law).inputs if name in runs.columns}
    if "tokens_per_param" in js.LAWS.resolve(law).inputs:
        inputs["tokens_per_param"] = runs.columns["tokens"] / runs.columns["params"]
    residuals = np.log(js.predict(law, constants, **inputs)) - np.log(np.asarray(runs.loss))
    assert np.median(np.abs(residuals)) < (0.12 if constants == "muennighoff2023" else 0.03)
