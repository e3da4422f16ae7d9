"""What a loss is worth downstream: error by validation loss, and accuracy by way of a task's own loss."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from jaxscale.laws.chinchilla import CHINCHILLA
from jaxscale.laws.inputs import Input
from jaxscale.laws.spec import Coef, Law
from jaxscale.laws.starts import Columns, projected

GADRE = "Gadre et al. 2024, arXiv 2403.08540"
LADDER = "Bhagia et al. 2024, arXiv 2412.04403"
VALIDATION_LOSS = Input("validation_loss", "L_val", "nats/token", "loss on a validation set", 2.5, 6.0)
TASK_LOSS = Input("task_loss", "L_task", "nats/token", "loss on the task's right answers", 0.3, 4.0)


def error(validation_loss, *, eps, k, gamma):
    """Err(L) = eps - k e^(-gamma L), a share of wrong answers; elementwise."""
    return eps - k * jnp.exp(-gamma * validation_loss)


def accuracy(task_loss, *, a, b, k, L_0):
    """acc(L) = a/(1 + e^(-k (L - L_0))) + b, a share of right answers; elementwise."""
    return a * jax.nn.sigmoid(k * (task_loss - L_0)) + b


def accuracy_starts(columns: Columns, target: np.ndarray) -> list[dict[str, float]]:
    """Return 12 start points: the middle and the slope searched, a and b solved for and kept between 0 and 1."""
    low, high = float(np.min(columns["task_loss"])), float(np.max(columns["task_loss"]))
    length = high - low or 1.0
    ranges = {"steepness": (0.5 / length, 100.0 / length), "L_0": (0.5 * low, 1.5 * high)}
    return projected(
        accuracy, ("a", "b"), ranges, columns, target, coefs=_falling, unit=("a", "b"), keep=12,
    )  # fmt: skip


def _falling(*, steepness, **others):
    """Return the coefs of an accuracy that falls with loss: k = -steepness."""
    return {"k": -steepness, **others}


DOWNSTREAM_ERROR = Law(
    name="downstream-error",
    loss=error,
    inputs=("validation_loss",),
    coefs=(
        Coef("eps", "unit", (0.85,), "error of a model that knows nothing", "share", span=(0.7, 0.95)),
        Coef("k", "positive", (2.0,), "scale of what is known", "share", span=(0.5, 2.2)),
        Coef("gamma", "positive", (0.5, 1.0), "rate of what a lower loss is worth", "token/nats", span=(0.6, 1.2)),
    ),
    equation="L = eps - k*exp(-gamma*L_val)",
    source=GADRE,
    starts=partial(projected, error, ("eps", "k"), {"gamma": (0.1, 3.0)}, unit=("eps",), keep=8),
    domain=(VALIDATION_LOSS,),
    frontier="none of its own: error rises with loss, so the optimum of every budget is that of the loss law",
    notes=(
        "The target is the mean error over many tasks (17 in the paper), read with --map loss=error; single tasks "
        "follow it badly.",
        "The paper's constants are not verified here, so none ship.",
    ),
    target="error",
)

TASK = replace(
    CHINCHILLA,
    name="task-loss",
    source=LADDER + ", step 1, the separable law",
    published=(),
    frontier="the separable law's; the accuracy of step 2 only falls with this loss, so it has the same",
    notes=(
        "The loss is that of a task's right answers, read with --map loss=task_loss; it need not follow the "
        "validation loss.",
        "To carry its uncertainty into accuracy, refit both steps to the same draws: jaxscale.fitting.two_steps.",
    ),
)

ACCURACY = Law(
    name="accuracy-sigmoid",
    loss=accuracy,
    inputs=("task_loss",),
    coefs=(
        Coef("a", "unit", (0.5,), "accuracy gained from chance to the best", "share", span=(0.3, 0.7)),
        Coef("b", "unit", (0.25,), "accuracy of chance", "share", span=(0.1, 0.3)),
        Coef("k", "real", (-2.0,), "steepness, negative if loss harms", "token/nats", span=(-8.0, -1.0)),
        Coef("L_0", "positive", (1.0,), "task loss in the middle", "nats/token", span=(0.7, 2.5)),
    ),
    equation="L = a/(1 + exp(-k*(L_task - L_0))) + b",
    source=LADDER + ", step 2",
    starts=accuracy_starts,
    domain=(TASK_LOSS,),
    frontier="none of its own: accuracy falls with the task loss, so the optimum is that of law 'task-loss'",
    notes=(
        "The target is accuracy, read with --map loss=accuracy.",
        "Neither a + b <= 1 nor b >= chance is imposed: look at them, and fix= b where chance is known.",
    ),
    target="accuracy",
)

LAWS = (DOWNSTREAM_ERROR, TASK, ACCURACY)
