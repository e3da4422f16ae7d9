"""Transfer: the data that pre-training is worth, the loss after fine-tuning, and an offset between distributions."""

from __future__ import annotations

import math
from dataclasses import replace

import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from jaxscale.laws import kaplan
from jaxscale.laws.inputs import PARAMS, Input
from jaxscale.laws.spec import Coef, Law, Published
from jaxscale.laws.starts import Columns, gridded, log_line
from jaxscale.numerics.powers import power
from jaxscale.precision import plainly

HERNANDEZ = "Hernandez et al. 2021, arXiv 2102.01293"
CHARACTERS = Input(
    "finetuning_characters", "D_F", "characters", "fine-tuning data, in characters and not in tokens", 1e5, 1e9
)
SIZE = replace(PARAMS, meaning="params without embeddings", low=1e6, high=1e9)


@plainly
def transferred(finetuning_characters, params, *, k: ArrayLike, alpha, beta):
    """D_T(D_F, N) = k D_F^alpha N^beta, in characters: what pre-training is worth; elementwise in D_F and N."""
    return jnp.asarray(k) * power(finetuning_characters, alpha) * power(params, beta)


def loss(finetuning_characters, params, *, N_c, D_k, alpha_N, alpha_D, alpha, beta):
    """L(D_F, N) = [(N_c/N)^(alpha_N/alpha_D) + D_k/(D_F^alpha N^beta)]^alpha_D, in nats; elementwise in D_F and N.

    Kaplan's law at the data that was transferred; D_k is its D_c over k, which alone runs identify.
    """
    data = transferred(finetuning_characters, params, k=1.0, alpha=alpha, beta=beta)
    return kaplan.joint_loss(params, data, N_c=N_c, D_c=D_k, alpha_N=alpha_N, alpha_D=alpha_D)


def transferred_starts(columns: Columns, target: np.ndarray) -> list[dict[str, float]]:
    """Return the line of least squares in logarithms, and three points about the centre in case its slopes are not
    positive.
    """
    inputs = (columns["finetuning_characters"], columns["params"])
    middle = [float(np.mean(np.log(one))) for one in (target, *inputs)]
    log_k, *line = log_line(inputs, target)
    others = [(middle[0] - a * middle[1] - b * middle[2], a, b) for a, b in ((0.05, 0.4), (0.2, 0.4), (0.5, 0.2))]
    return [{"k": math.exp(level), "alpha": a, "beta": b} for level, a, b in ((log_k, *line), *others)]


def loss_starts(columns: Columns, target: np.ndarray) -> list[dict[str, float]]:
    """Return 20 start points: exponents from a grid, both scales by projection of L^(1/alpha_D)."""
    found = []
    for alpha_d in (0.06, 0.08, 0.1, 0.13, 0.2):
        best = gridded(loss, ("size", "D_k"), GRID, columns, target ** (1.0 / alpha_d), coefs=_bracket_of, keep=4)
        found += [{**start, "alpha_N": start["alpha_N"] * alpha_d, "alpha_D": alpha_d} for start in best]
    return found


def _bracket_of(*, size, slope, **others):
    """Return the coefs with which the law is its bracket alone, size N^-slope + D_k/(D_F^alpha N^beta)."""
    return {"N_c": size ** (1.0 / slope), "alpha_N": slope, "alpha_D": 1.0, **others}


GRID = {"slope": (0.3, 0.5, 0.75, 1.0, 1.5, 2.5), "alpha": (0.05, 0.1, 0.2, 0.35, 0.5), "beta": (0.1, 0.25, 0.4, 0.6)}

DECAY = (
    Coef("alpha", "positive", (0.05, 0.2, 0.5), "exponent of fine-tuning data: the distance of both", span=(0.08, 0.3)),
    Coef("beta", "positive", (0.2, 0.4), "exponent of params: model and target", span=(0.3, 0.45)),
)

TRANSFER = Law(
    name="transfer",
    loss=transferred,
    inputs=("finetuning_characters", "params"),
    coefs=(Coef("k", "positive", (1e3, 1e5), "scale", "characters^(1 - alpha)/params^beta", span=(1e3, 1e6)), *DECAY),
    equation="L = k*D_F^alpha*N^beta",
    source=HERNANDEZ + ", eq. 1.1",
    starts=transferred_starts,
    published=(
        Published("hernandez2021-text", (1.9e4, 0.18, 0.38), HERNANDEZ + ", table 1: text to Python", "second-hand"),
        Published(
            "hernandez2021-half-code",
            (2.1e5, 0.096, 0.38),
            HERNANDEZ + ", table 1: half text, half code of other languages, to Python",
            "second-hand",
        ),
    ),
    domain=(CHARACTERS, SIZE),
    frontier="none: it says what data is worth, not what a budget buys",
    notes=(
        "The column called loss holds the data transferred, D_T in characters, here: --map loss=COLUMN.",
        "D_T is measured: the data with which training from scratch reaches the same loss, less D_F.",
        "Small models that are fine-tuned on more than a tenth of the data that their size needs can end behind "
        "training from scratch (ossification).",
    ),
    target="transferred data",
)

TRANSFER_LOSS = Law(
    name="transfer-loss",
    loss=loss,
    inputs=("finetuning_characters", "params"),
    coefs=(
        Coef("N_c", "positive", (1e10, 1e13), "scale of params", "params", span=(1e13, 1e14)),
        Coef(
            "D_k",
            "positive",
            (1e8, 1e9, 1e10),
            "scale of data over k",
            "characters^alpha · params^beta",
            span=(3e8, 3e9),
        ),
        Coef("alpha_N", "positive", (0.05, 0.1), "exponent of params", span=(0.07, 0.085)),
        Coef("alpha_D", "positive", (0.05, 0.1), "exponent of data", span=(0.095, 0.11)),
        *DECAY,
    ),
    equation="L = [(N_c/N)^(alpha_N/alpha_D) + D_k/(D_F^alpha*N^beta)]^alpha_D",
    source=HERNANDEZ + ", eq. 6.1",
    starts=loss_starts,
    domain=(CHARACTERS, SIZE),
    frontier="none: it says what data is worth, not what a budget buys",
    notes=(
        "D_k is Kaplan's D_c, in characters, over the k of law 'transfer': runs of one pre-training determine no more.",
        "It is tried about Kaplan's constants: further off one of both terms hides the other, and fits are singular.",
        "It holds while the data is few; it leaves D_F itself out beside what is transferred.",
    ),
)


TRAIN_LOSS = Input("train_loss", "L_train", "nats/token", "loss on the training distribution", 1.8, 8.0)


def offset_loss(train_loss, *, delta):
    """L_other = L_train + delta, in nats per token; elementwise in L_train."""
    return train_loss + delta


def offset_starts(columns: Columns, target: np.ndarray) -> list[dict[str, float]]:
    """Return 3 start points: the quartiles of the differences."""
    return [{"delta": float(delta)} for delta in np.quantile(target - columns["train_loss"], (0.25, 0.5, 0.75))]


TRANSFER_OFFSET = Law(
    name="transfer-offset",
    loss=offset_loss,
    inputs=("train_loss",),
    coefs=(
        Coef(
            "delta",
            "real",
            (-0.3, 0.3, 0.8),
            "loss on the other distribution above that on the training distribution",
            "nats/token",
        ),
    ),
    equation="L_other = L_train + delta",
    source=kaplan.PAPER + ", §3.2.2",
    starts=offset_starts,
    domain=(TRAIN_LOSS,),
    notes=(
        "The offset grows slowly in the paper's figure 8 and depends on neither depth nor the phase of training.",
        "A table of one pair of distributions; both losses on the same tokenizer.",
    ),
)

LAWS = (TRANSFER, TRANSFER_LOSS, TRANSFER_OFFSET)
