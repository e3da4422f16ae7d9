"""The loss on another distribution as that on the training distribution and a constant."""

from __future__ import annotations

import numpy as np

from jaxscale.laws.inputs import Input
from jaxscale.laws.kaplan_single import KAPLAN
from jaxscale.laws.spec import Coef, Law
from jaxscale.laws.starts import Columns

TRAIN_LOSS = Input("train_loss", "L_train", "nats/token", "loss on the training distribution", 1.8, 8.0)


def loss(train_loss, *, delta):
    """L_other = L_train + delta, in nats per token; elementwise in L_train."""
    return train_loss + delta


def starts(columns: Columns, target: np.ndarray) -> list[dict[str, float]]:
    """Return 3 start points: the quartiles of the differences."""
    return [{"delta": float(delta)} for delta in np.quantile(target - columns["train_loss"], (0.25, 0.5, 0.75))]


TRANSFER_OFFSET = Law(
    name="transfer-offset",
    loss=loss,
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
    source=KAPLAN + ", §3.2.2",
    starts=starts,
    domain=(TRAIN_LOSS,),
    notes=(
        "The offset grows slowly in the paper's figure 8 and depends on neither depth nor the phase of training.",
        "A table of one pair of distributions; both losses on the same tokenizer.",
    ),
)

LAWS = (TRANSFER_OFFSET,)
