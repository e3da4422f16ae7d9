"""Search of laws: words beside those of their pages, and the laws that match."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from jaxscale.reports.lawpages import LawDocument

COMPUTE_OPTIMAL = (
    "compute-optimal", "isoflop", "isoloss", "scaling exponent", "parametric fit", "approach 3", "tokens per parameter",
    "optimal model size", "allocation", "pretraining", "dense", "irreducible loss", "bits per byte",
)  # fmt: skip
"""Of a law of params and tokens whose budget is split."""
EXPERTS = ("moe", "mixture of experts", "sparsely activated", "gating", "router", "active parameters")
QUANTIZED = ("quantization", "low precision", "fp8", "int8", "int4", "fp4", "bits", "quantised", "mixed precision")
SETTINGS = ("hyperparameters", "optimal hyperparameters", "tuning", "hyperparameter transfer", "mup")
RATE = ("learning rate", "lr", "step size")
BATCH = ("batch size", "optimal batch size")
SCHEDULES = (
    "learning rate schedule", "lr schedule", "learning rate decay", "cosine", "wsd", "warmup-stable-decay", "cooldown",
    "annealing", "loss curve", "learning curve", "training curve", "training dynamics",
)  # fmt: skip
NOISE = ("batch size", "critical batch size", "gradient noise scale", "large batch", "data parallelism")
CURVE = ("learning curve", "scaling exponent", "power law", "irreducible loss", "saturation")
BREAKS = ("broken neural scaling law", "bnsl", "double descent", "emergence", "inflection", "phase transition")
DOWNSTREAM = (
    "downstream", "benchmark", "accuracy", "benchmark accuracy", "emergent abilities", "two-step", "mmlu",
    "task performance",
)  # fmt: skip
MIXTURE = ("data mixture", "data mixing", "domain weights", "domains", "proportions", "reweighting", "curriculum")
TRANSFER = (
    "transfer learning", "fine-tuning", "finetuning", "effective data", "pretraining", "domain shift",
    "distribution shift",
)  # fmt: skip

WORDS: dict[str, tuple[str, ...]] = {
    "annealing": SCHEDULES,
    "broken-1": BREAKS,
    "broken-2": BREAKS,
    "chinchilla": (*COMPUTE_OPTIMAL, "hoffmann", "chinchilla scaling", "inference-aware"),
    "chinchilla-tied": (*COMPUTE_OPTIMAL, "20 tokens per parameter"),
    "critical-batch": NOISE,
    "critical-batch-offset": NOISE,
    "downstream-error": (*DOWNSTREAM, "top-1 error"),
    "task-loss": (*DOWNSTREAM, "model ladder"),
    "accuracy-sigmoid": (*DOWNSTREAM, "sigmoid"),
    "pearce": (*COMPUTE_OPTIMAL, "non-embedding parameters", "kaplan and chinchilla", "reconciling"),
    "experts-joint": (*EXPERTS, "memory"),
    "experts-sparsity": (*EXPERTS, "sparsity"),
    "farseer": (*COMPUTE_OPTIMAL, "loss surface"),
    "granularity": (*EXPERTS, "fine-grained experts"),
    "steplaw-lr": (*SETTINGS, *RATE),
    "steplaw-batch": (*SETTINGS, *BATCH),
    "optimum-flops": (*SETTINGS, *RATE, *BATCH),
    "optimum-params": (*SETTINGS, *RATE, *BATCH),
    "kaplan": (
        "overfitting", "early stopping", "dataset size", "generalization gap", "scaling exponent", "data requirement",
    ),
    "kaplan-compute": ("compute-efficient", "sample efficiency", "convergence", "scaling exponent", "allocation"),
    "kaplan-params": ("model size", *CURVE),
    "kaplan-tokens": ("dataset size", "data scaling", *CURVE),
    "kaplan-flops": ("compute scaling", *CURVE),
    "kaplan-flops-min": ("compute scaling", "compute-efficient", *CURVE),
    "kaplan-steps": (
        "sample efficiency", "learning curve", "training curve", "convergence", "training steps", "speed of learning",
    ),
    "loss-to-loss": (
        "transfer", "train to test", "validation loss", "another tokenizer", "another dataset", "distribution shift",
    ),
    "mixing": MIXTURE,
    "mixing-scale": MIXTURE,
    "multi-power": SCHEDULES,
    "nested-q": (*COMPUTE_OPTIMAL, "model selection", "bottleneck", "generalised chinchilla"),
    "nested-gamma": (*COMPUTE_OPTIMAL, "model selection", "skaling", "distillation", "supervised law", "busbridge"),
    "overtraining": (
        "over-training", "inference-aware", "inference", "tokens per parameter", "token multiplier", "llama",
        "small models trained longer",
    ),
    "parallel-streams": ("test-time compute", "inference-time compute", "parscale", "parallel scaling"),
    "power": ("learning curve", *CURVE),
    "power-params": ("model size", *CURVE),
    "power-tokens": ("data scaling", "dataset size", *CURVE),
    "pure-power": ("straight line", *CURVE),
    "pure-power-params": ("straight line", "model size", *CURVE),
    "pure-power-tokens": ("straight line", "data scaling", *CURVE),
    "precision": (*QUANTIZED, "quantization-aware training", "qat", "training in low precision"),
    "precision-post": (*QUANTIZED, "post-training quantization", "ptq", "quantization after training"),
    "rectified": (*TRANSFER, "sft", "supervised fine-tuning"),
    "data-constrained": (
        "data repetition", "repeated data", "repetition", "epochs", "multi-epoch", "unique tokens", "data wall",
        "running out of data", "deduplication", "overfitting",
    ),
    "rosenfeld": (
        "random guess", "chance level", "cold start", "small models", "scaling exponent", "image classification",
    ),
    "routed": EXPERTS,
    "power-shifted": ("knee", "shifted power law", *CURVE),
    "sparsity": ("pruning", "weight sparsity", "unstructured sparsity", "compression", "lottery ticket", "sparse"),
    "steps-examples": (*NOISE, "sample efficiency", "time and compute", "steps and examples"),
    "transfer": TRANSFER,
    "transfer-loss": TRANSFER,
    "transfer-offset": (*TRANSFER, "generalization", "out of distribution"),
    "vocabulary": ("vocabulary size", "tokenizer", "tokenization", "vocab", "embedding", "bpe"),
}  # fmt: skip
"""Of each law, by its name."""
LEAST_LETTERS = 3
"""Below this many letters a word is no part of another, as lr is none of already."""


def matching(laws: Iterable[LawDocument], words: str) -> list[LawDocument]:
    """Return the laws of which every one of the words is said in the document or among `WORDS`, best matches first.

    In any case, with and without hyphens, in the plural or not, in British or American spelling. First come those that
    people call so.
    """
    wanted = _spelled(words)
    called, said = [], []
    for law in laws:
        names = [law["name"], *law["aliases"], *WORDS.get(law["name"], ())]
        of_page = " ".join(str(part) for part in _leaves(law))
        text = _spelled(" ".join((of_page, *names)))
        text += " " + text.replace(" ", "")  # over-training is overtraining
        if any(wanted in _spelled(name) for name in names):
            called.append(law)
        elif all(_stands(word, text) for word in wanted.split()):
            said.append(law)
    return [*called, *said]


def _spelled(text: str) -> str:
    """Return text in small letters, American spelling and single spaces, without hyphens."""
    plain_words = re.sub(r"[-_\s]+", " ", text.casefold()).strip()
    return re.sub(r"is(ation|ed|er|ers|ing)\b", r"iz\1", plain_words)


def _stands(word: str, text: str) -> bool:
    """Return whether a word, or its singular, stands in a text; a short one only as a word of its own."""
    if len(word) < LEAST_LETTERS:
        return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) is not None
    return word in text or (word.endswith("s") and word[:-1] in text)


def _leaves(document: object) -> Iterator[object]:
    """Return every text and number of a document, without its names and what is absent."""
    if isinstance(document, str) or not isinstance(document, Mapping | Sequence):
        if document is not None:
            yield document
        return
    for one in document.values() if isinstance(document, Mapping) else document:
        yield from _leaves(one)
