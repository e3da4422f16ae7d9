"""Laws found by what people call them."""

import pytest

import jaxscale as js
from jaxscale.reports import law_document, matching, shipped
from jaxscale.reports.lawsearch import WORDS

ASKED = {
    "sample efficiency": "kaplan-steps",
    "isoloss": "chinchilla",
    "overfitting": "kaplan",
    "learning curve": "kaplan-steps",
    "learning curves": "kaplan-steps",
    "moe": "routed",
    "MoE": "granularity",
    "mixture of experts": "experts-sparsity",
    "Mixture-of-Experts": "experts-joint",
    "scaling exponent": "chinchilla",
    "scaling exponents": "kaplan",
    "quantization": "precision",
    "quantisation": "precision",
    "int4": "precision-post",
    "post-training quantisation": "precision-post",
    "post-training quantization": "precision-post",
    "data repetition": "data-constrained",
    "epochs": "data-constrained",
    "epoch": "data-constrained",
    "multi-epoch": "data-constrained",
    "tokens per parameter": "overtraining",
    "over-training": "overtraining",
    "overtraining": "overtraining",
    "over training": "overtraining",
    "inference-aware": "overtraining",
    "learning rate": "steplaw-lr",
    "batch size": "steplaw-batch",
    "batch sizes": "critical-batch",
    "critical batch size": "critical-batch",
    "gradient noise scale": "steps-examples",
    "downstream": "downstream-error",
    "benchmark accuracy": "accuracy-sigmoid",
    "vocabulary size": "vocabulary",
    "tokenizer": "vocabulary",
    "tokeniser": "vocabulary",
    "pruning": "sparsity",
    "transfer": "transfer",
    "transfer learning": "transfer",
    "fine-tuning": "rectified",
    "fine tuning": "transfer",
    "data mixture": "mixing",
    "lr schedule": "multi-power",
    "cosine": "annealing",
    "broken neural scaling law": "broken-1",
    "skaling": "nested-gamma",
    "compute-optimal": "chinchilla",
    "test-time compute": "parallel-streams",
    "early stopping": "kaplan",
    "random guess": "rosenfeld",
}


def found(words):
    return [law["name"] for law in matching(shipped(), words)]


@pytest.mark.parametrize("words", ASKED)
def test_a_law_is_found_by_what_it_is_called(words):
    assert ASKED[words] in found(words)


@pytest.mark.parametrize("name", WORDS)
def test_every_word_of_a_law_finds_it(name):
    for words in WORDS[name]:
        assert matching([law_document(js.LAWS[name])], words)


def test_every_law_has_words_and_no_other_has():
    assert set(WORDS) == set(js.LAWS.names)
    assert all(len(set(words)) >= 4 for words in WORDS.values())


def test_what_is_called_so_comes_before_what_only_says_the_words():
    assert found("learning curve")[0] in [name for name, words in WORDS.items() if "learning curve" in words]
    assert found("moe") == [name for name in js.LAWS.names if "moe" in WORDS[name]]


def test_a_short_word_is_no_part_of_another():
    assert set(found("lr")) < set(js.LAWS.names)
    assert not found("zq")


def test_a_second_name_finds_the_law_wherever_a_name_is_taken():
    law = js.LAWS.resolve("skaling")
    assert law is js.LAWS.resolve("nested-gamma")
    coefs = {coef.name: coef.starts[0] for coef in law.coefs}
    run = {"params": 1e9, "tokens": 2e10}
    assert js.predict("skaling", coefs, **run) == js.predict("nested-gamma", coefs, **run)
    assert js.LAWS.names.count("skaling") == 0
