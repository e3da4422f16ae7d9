"""Error and accuracy of downstream tasks, and the loss on other data, as functions of a loss."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from jaxscale.laws.chinchilla import CHINCHILLA, GADRE
from jaxscale.laws.inputs import Input
from jaxscale.laws.spec import Coef, Law
from jaxscale.laws.starts import Columns, gridded, projected
from jaxscale.numerics.powers import power

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
        "To carry its uncertainty into accuracy, refit both steps to the same draws: jaxscale.refitting.two_steps.",
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


BRANDFONBRENER = "Brandfonbrener et al. 2024, arXiv 2411.12925"
SOURCE_LOSS = Input("source_loss", "L_0", "nats/token", "loss on the data that the law starts from", 2.0, 6.0)


def other_loss(source_loss, *, K, kappa, E_0, E_1):
    """L_1(L_0) = E_1 + K (L_0 - E_0)^kappa, in nats per token; elementwise in L_0, NaN for L_0 < E_0."""
    return E_1 + K * power(source_loss - E_0, kappa)


def other_starts(columns: Columns, target: np.ndarray) -> list[dict[str, float]]:
    """Return 16 start points: E_0 below the smallest source loss and kappa from a grid, K and E_1 by projection."""
    floors = np.min(columns["source_loss"]) * np.array((0.1, 0.3, 0.5, 0.65, 0.8, 0.9, 0.97))
    grid = {"E_0": floors, "kappa": (0.4, 0.6, 0.8, 0.95, 1.05, 1.2, 1.5, 2.0)}
    return gridded(other_loss, ("E_1", "K"), grid, columns, target)


LOSS_TO_LOSS = Law(
    name="loss-to-loss",
    loss=other_loss,
    inputs=("source_loss",),
    coefs=(
        Coef("K", "positive", (0.5, 1.0, 2.0), "scale", "(nats/token)^(1 - kappa)", span=(0.5, 2.0)),
        Coef("kappa", "positive", (0.8, 1.1, 1.3), "exponent", span=(1.05, 1.5)),
        Coef("E_0", "positive", (0.5, 1.0, 1.5), "irreducible loss on the source", "nats/token", span=(0.8, 1.9)),
        Coef("E_1", "positive", (0.5, 1.0, 1.5), "irreducible loss on the target", "nats/token", span=(0.5, 2.0)),
    ),
    equation="L = E_1 + K*(L_0 - E_0)^kappa",
    source=BRANDFONBRENER,
    starts=other_starts,
    domain=(SOURCE_LOSS,),
    frontier="none of its own: it keeps the order of losses, so the optimal split of a budget is the source's",
    notes=(
        "At kappa = 1 it is a straight line, and E_0 and E_1 are not identified one by one: fix E_0 to the source's.",
        "E_0 lies below the smallest source loss; fix it where the source has a fitted law of its own.",
        "About eight pairs of losses carry a law to a new tokenizer or validation set.",
    ),
)

LAWS = (DOWNSTREAM_ERROR, TASK, ACCURACY, LOSS_TO_LOSS)
