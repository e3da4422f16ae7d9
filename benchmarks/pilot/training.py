"""One run: a network trained on a fixed number of bytes, its learning rate warmed up and brought down to zero."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from benchmarks.pilot.network import CONTEXT, Shape, Weights, fresh, losses
from benchmarks.pilot.text import Text

WARMUP = 0.1
"""Share of the steps in which the learning rate rises from zero; it falls to zero, linearly, in the others."""
MEMORY = (0.9, 0.99)
"""Of Adam's two means. The second is short for batches as small as these.   Source: Porian et al. 2024, §3.5."""
LONGEST = 1.0
"""Norm of the gradient beyond which it is shortened."""
STRETCH = 64
"""Steps of one program call, so that Ctrl-C answers."""
JUDGED = 512
"""Windows of the validation files on which a run is judged, the same for every run."""
JUDGED_AT_ONCE = 64
GLIMPSED = 128
"""Windows of a point on the curve."""
POINTS = 8
"""Points of a curve, each with half as many doublings of tokens to the next."""

OPTIMISER = optax.chain(optax.clip_by_global_norm(LONGEST), optax.scale_by_adam(*MEMORY))
TOO_LITTLE_TEXT = (
    "{wanted:,} windows of {context} bytes are asked for, and the text has {there:,}: no byte is read twice"
)


@dataclass(frozen=True)
class Settings:
    """What decides a run. batch: windows of a step.   learning_rate: the highest.   seed: of weights and order."""

    shape: Shape
    steps: int
    batch: int
    learning_rate: float
    seed: int

    @property
    def tokens(self) -> int:
        """Bytes trained on."""
        return self.steps * self.batch * CONTEXT

    @property
    def flops(self) -> int:
        """FLOP of the training, without validation."""
        return self.tokens * self.shape.flops_per_token

    @classmethod
    def spending(cls, flops: float, shape: Shape, batch: int, learning_rate: float, seed: int) -> Settings:
        """Return the run whose FLOP are nearest a budget."""
        steps = max(round(flops / (shape.flops_per_token * batch * CONTEXT)), 1)
        return cls(shape, steps, batch, learning_rate, seed)


class Ended(NamedTuple):
    """What a run came to.

    loss: on the validation files, nats per byte.   curve: (tokens, loss) on the way, of fewer windows, the last at the
    end.   seconds: of all of it, compiling included.
    """

    loss: float
    curve: tuple[tuple[int, float], ...]
    seconds: float


class State(NamedTuple):
    """Weights and the optimiser's memory."""

    weights: Weights
    memory: optax.OptState


def train(settings: Settings, text: Text) -> Ended:
    """Return how a run ended; a loss that is not finite is one that diverged.

    Raises ValueError for more bytes than there are.
    """
    windows = cut(text.training)
    wanted = settings.steps * settings.batch
    if wanted > len(windows):
        raise ValueError(TOO_LITTLE_TEXT.format(wanted=wanted, context=CONTEXT, there=len(windows)))
    begun = time.perf_counter()
    order = np.random.default_rng(settings.seed).permutation(len(windows))[:wanted].astype(np.int32)
    order = order.reshape(settings.steps, settings.batch)
    weights = fresh(settings.shape, jax.random.key(settings.seed))
    state, data = State(weights, OPTIMISER.init(weights)), jnp.asarray(windows)
    judged, glimpsed = (jnp.asarray(_spread(cut(text.validation), count)) for count in (JUDGED, GLIMPSED))
    curve = []
    for first, last in pairwise(_stops(settings.steps)):
        for at in range(first, last, STRETCH):
            part = order[at : min(at + STRETCH, last)]
            padded = np.concatenate([part, np.zeros((STRETCH - len(part), settings.batch), np.int32)])
            span = np.array([at, len(part), settings.steps], np.int32)
            state = advance(state, data, padded, span, np.float32(settings.learning_rate))
        curve.append((last * settings.batch * CONTEXT, float(judge(state.weights, glimpsed))))
    return Ended(float(judge(state.weights, judged)), tuple(curve), time.perf_counter() - begun)


def _stops(steps: int) -> list[int]:
    """Return 0 and the steps after which the curve has a point, evenly spread in their logarithm, to the last."""
    return [0, *sorted({max(round(steps * 2.0**-half), 1) for half in np.arange(0.0, POINTS / 2.0, 0.5)})]


def _spread(windows: np.ndarray, count: int) -> np.ndarray:
    """Return so many windows, evenly spread over a text."""
    return windows[np.linspace(0, len(windows) - 1, count).astype(int)]


def cut(body: np.ndarray) -> np.ndarray:
    """Return the windows (n, CONTEXT + 1) of a text: each begins with the byte at which the one before ends."""
    count = (len(body) - 1) // CONTEXT
    return np.lib.stride_tricks.sliding_window_view(body, CONTEXT + 1)[: count * CONTEXT : CONTEXT]


@partial(jax.jit, donate_argnums=0)
def advance(state: State, data: jax.Array, order: jax.Array, span: jax.Array, highest: jax.Array) -> State:
    """Return the state after the first few steps of a stretch.

    data: (n, CONTEXT + 1) windows.   order: (STRETCH, batch) those of each step.   span: steps made before, steps to
    make, steps of the whole run.   highest: the learning rate at the end of the warm-up.
    """
    before, count, total = span
    rising = jnp.maximum(jnp.round(WARMUP * total), 1.0)

    def step(index: jax.Array, state: State) -> State:
        gradient = jax.grad(lambda weights: jnp.mean(losses(weights, data[order[index]])))(state.weights)
        towards, memory = OPTIMISER.update(gradient, state.memory)
        done = before + index + 1.0
        rate = highest * jnp.minimum(done / rising, (total - done + 1.0) / (total - rising + 1.0))
        return State(jax.tree.map(lambda weight, way: weight - rate * way, state.weights, towards), memory)

    return jax.lax.fori_loop(0, count, step, state)


@jax.jit
def judge(weights: Weights, windows: jax.Array) -> jax.Array:
    """Return the mean loss over windows (n, CONTEXT + 1), n a multiple of JUDGED_AT_ONCE."""
    parts = windows.reshape(-1, JUDGED_AT_ONCE, windows.shape[1])
    return jnp.mean(jax.lax.map(lambda part: jnp.mean(losses(weights, part)), parts))
