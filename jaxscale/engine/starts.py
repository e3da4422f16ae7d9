"""Where replicates start: every known minimum priced for every replicate, and the surrogate descended from the lowest.

All replicates share the rows and differ in weights, so that the objective of replicate r at candidate k is (W · Q) of
r and k, with Q the rho functions of a candidate's residuals: one product of matrices prices all of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import PartitionSpec
from jaxtyping import Array, Float, Int

from jaxscale import precision, stopping
from jaxscale.engine import placement
from jaxscale.engine.compiling import Clock, run
from jaxscale.engine.data import chunks, fill, upload
from jaxscale.engine.draws import Drawn, draw_chunk, in_blocks, moves_targets
from jaxscale.engine.job import LEAST_WIDTH, Job, shape_of, source_in
from jaxscale.kernels import choose
from jaxscale.resampling import Draw
from jaxscale.solvers.problem import Data, Pass, Problem, Tree
from jaxscale.solvers.surrogate import Surrogates, descend, quadratic

MOST_CANDIDATES = 256
"""Candidates of one table: the minima of the survey's replicates."""
PRICED, LEAST_CANDIDATES = 1 << 14, 64
"""Residuals at candidates that are priced one by one, for a replicate with targets of its own, and how many candidates
there are in any case: from there on fewer of them cost more evaluations, and more cost more than these."""
MEMORY = 64 << 20
"""Bytes of their surrogates, in float32: longer tables and laws of more coefs have fewer candidates."""
ROOM = {"cpu": 384 << 10}
"""Bytes of the surrogates of lanes that descend together, each with a copy of its own: what a core's cache holds."""
MOST_ROOM = 1 << 28
"""… of an accelerator."""
STARTS = 2
"""Most descents of a replicate: from the candidates of the lowest price, no two of them alike."""
STEPS = 8
"""Most of a descent: more leave the loop that follows hardly fewer evaluations."""
TOGETHER = 4
"""Blocks of lanes that descend together: a step on the surrogate is cheap, and so is one of a lane that has ended."""


class Candidates(NamedTuple):
    """Points at which replicates may start, on the device; K of them, of which the last may be padding.

    surrogates: around each.   is_there (K,): not padding.   is_inside (K,): at no bound.
    alike (K, K): so near one another that one of both is enough.   scale: of the objective.   descents: of a replicate,
    STARTS at most.
    """

    surrogates: Surrogates
    is_there: Tree
    is_inside: Tree
    alike: Tree
    scale: Tree
    descents: Tree


class Starts(NamedTuple):
    """Where replicates (k,) may start; NumPy arrays, or the device's.

    theta: (k, S, p), the ends of descents on the surrogates.   value: (k, S), what the surrogates say there; inf where
    a table has fewer candidates, or a replicate fewer descents.   price: (k, S + 1), the objective at the candidate
    itself, of residuals in float32; the last is the lowest at a bound.   chosen: (k, S + 1), the candidates.
    """

    theta: Tree
    value: Tree
    price: Tree
    chosen: Tree


def most_candidates(job: Job) -> int:
    """Return how many candidates a table has at most: a power of two."""
    most = MOST_CANDIDATES
    if moves_targets(job.scheme):
        most = min(most, max(LEAST_CANDIDATES, PRICED // len(job.batch.target)))
    return max(2, 1 << max(1, min(most, MEMORY // bytes_of(job))).bit_length() - 1)


def bytes_of(job: Job) -> int:
    """Return the bytes of one surrogate's terms."""
    share = job.problem.share
    width = job.problem.size if share is None else share.width
    return 4 * len(job.batch.target) * (1 + width + width * (width + 1) // 2)


def lanes_together(job: Job, platform: str, width: int, block: int) -> int:
    """Return how many lanes of a program call descend together: a divisor of the width, at least two."""
    lanes, room = block * math.gcd(width // block, TOGETHER), ROOM.get(platform, MOST_ROOM)
    while lanes % (2 * LEAST_WIDTH) == 0 and lanes * bytes_of(job) > room:
        lanes //= 2
    return lanes


def prepared_candidates(
    job: Job, surrogates: Surrogates, is_inside: np.ndarray, alike: np.ndarray, scale: float, descents: int = STARTS
) -> Candidates:
    """Return candidates with these surrogates, at most `most_candidates` of them, on the device.

    is_inside: (K,).   alike: (K, K).   scale: of the objective.   descents: of a replicate.
    """
    count, most = len(is_inside), most_candidates(job)
    terms, base, frame = (fill(part, most) for part in surrogates[:3])
    padded = Surrogates(terms, base, frame, surrogates.kind)
    beside = (0, most - count)
    masks = (np.arange(most) < count, np.pad(is_inside, beside), np.pad(alike, (beside, beside)))
    return Candidates(*upload((padded, *masks, np.float64(scale), np.int32(descents))))


def priced_starts(
    job: Job,
    candidates: Candidates,
    replicate: np.ndarray,
    clock: Clock,
    on_done: Callable[[int], object] = lambda count: None,
) -> Starts:
    """Return where replicates (k,) may start; the same for each, whatever the others are.

    on_done is told how many more have been priced. Raises KeyboardInterrupt between two calls where the process was
    asked to stop.
    """
    device, mesh = placement.current(), placement.mesh()
    width, block = shape_of(device.platform, len(job.batch.target), job.width)
    together = lanes_together(job, device.platform, width, block)
    width *= 1 if mesh is None else mesh.size
    share = job.problem.share
    model = quadratic(job.problem.rho, job.problem.size, None if share is None else share.seen)
    early = choose(device.platform, kind=device.device_kind).evaluate
    source = upload(source_in(job))

    def ask(part: slice) -> Starts:
        count = part.stop - part.start
        with precision.float64(), jax.default_device(device):  # both are thread-local
            lanes = (source, fill(replicate[part].astype(np.int32), width), np.arange(width) < count)
            drawn: Drawn = run(clock, draw_chunk, (job.scheme, block, mesh), lanes, stays=mesh is None)
            question = (candidates, drawn.draw, lanes[2])
            found: Starts = run(clock, start_chunk, (model, together, mesh, early), question)
        theta = found.theta.reshape(width, STARTS, -1)
        return Starts(*(array[:count] for array in found._replace(theta=theta)))

    with clock.running(), ThreadPoolExecutor(placement.threads()) as pool:
        flying, parts = [pool.submit(ask, part) for part in chunks(len(replicate), width)], []
        try:
            for one in flying:
                stopping.stop_if_asked()
                parts.append(one.result())
                on_done(len(parts[-1].price))
        except BaseException:  # Ctrl-C: do not start what still waits
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return Starts(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def start_chunk(
    model: Problem,
    block: int,
    mesh: jax.sharding.Mesh | None,
    early: Pass,
    argument: tuple[Candidates, Draw[Tree], Tree],
) -> Starts:
    """Return the starts of lanes that count, which come first: of (candidates, draws (B, n), is_counted (B,)).

    model: from `quadratic`.   block: how many go together; it divides B.   mesh: devices that each take their share.
    early: the pass over the rows in float32.   theta is (B, S p).
    """
    ask = partial(_start_share, model, block, early)
    if mesh is None:
        return ask(argument)
    alike: Tree = PartitionSpec()
    shared: Tree = PartitionSpec(placement.AXIS)
    found: Starts = jax.shard_map(
        ask, mesh=mesh, in_specs=((alike, shared, shared),), out_specs=shared, check_vma=False
    )(argument)
    return found


def _start_share(model: Problem, block: int, early: Pass, argument: tuple[Candidates, Draw[Tree], Tree]) -> Starts:
    candidates, draw, is_counted = argument
    surrogates = candidates.surrogates
    narrow = candidates.scale.astype(jnp.float32)
    residual = surrogates.terms[:, 0]
    value = model.rho(residual, narrow).value

    def some(lanes: Int[Array, " b"]) -> Starts:
        own: Draw[jax.Array] = jax.tree.map(lambda part: part[lanes].astype(jnp.float32), draw)
        price = _prices(model, residual, value, own, narrow)
        price = jnp.where(candidates.is_there, price, jnp.inf)
        at_bound = jnp.where(candidates.is_inside, jnp.inf, price)
        lowest, left = [], jnp.where(candidates.is_inside, price, jnp.inf)
        for _ in range(STARTS):
            lowest.append((jnp.argmin(left, axis=1), jnp.min(left, axis=1)))
            left = jnp.where(candidates.alike[lowest[-1][0]], jnp.inf, left)
        which, prices = (jnp.stack(parts, axis=1) for parts in zip(*lowest, strict=True))
        data = Data((), *own)

        def descended(asked: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
            place, at = asked
            return jax.lax.cond(
                place < candidates.descents,
                lambda: descend(model, surrogates, at, data, narrow, STEPS, early),
                lambda: (surrogates.base[at], jnp.full(len(lanes), jnp.inf, surrogates.base.dtype)),
            )

        ends, said = jax.lax.map(descended, (jnp.arange(STARTS), which.T))  # each ends when its own lanes have
        bound = jnp.argmin(at_bound, axis=1)
        return Starts(
            jnp.swapaxes(ends, 0, 1).reshape(len(lanes), -1),
            jnp.where(jnp.isfinite(prices), said.T, jnp.inf),
            jnp.concatenate([prices, jnp.min(at_bound, axis=1)[:, None]], axis=1),
            jnp.concatenate([which, bound[:, None]], axis=1),
        )

    count = jnp.sum(is_counted, dtype=jnp.int32)
    return in_blocks(some, jnp.arange(len(is_counted), dtype=jnp.int32), block, count)


def _prices(
    model: Problem,
    residual: Float[Array, "K n"],
    value: Float[Array, "K n"],
    draw: Draw[jax.Array],
    scale: Float[Array, ""],
) -> Float[Array, "b K"]:
    """Return the objective of every lane at every candidate: a product, but for draws that move the targets."""
    if draw.shift is None:  # in float64, since the order of a library's terms depends on what else is in the batch
        return draw.weight.astype(jnp.float64) @ value.astype(jnp.float64).T
    return jax.vmap(lambda weight, shift: jnp.sum(weight * model.rho(residual - shift, scale).value, axis=1))(
        draw.weight, draw.shift
    )
