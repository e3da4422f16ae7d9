"""A decoder-only transformer over bytes, as plain functions on arrays, with its parameters and FLOP counted exactly."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import jax
import jax.numpy as jnp

VOCABULARY = 256
"""Bytes."""
CONTEXT = 128
"""Bytes that a network sees at once."""
HEADS = 2
"""Attention heads of a layer."""
WIDENING = 4
"""Inner width of a feed-forward layer over the width."""
ROTATION = 10_000.0
"""Longest wavelength of the rotary position code, over 2 pi.   Source: Su et al. 2021, arXiv 2104.09864."""

Weights: TypeAlias = dict[str, jax.Array]
"""embedding (V, d); per layer, stacked: attention (l, d, 3 d), out (l, d, d), up (l, d, 4 d), down (l, 4 d, d), and the
gains (l, d) of the norms before attention and feed-forward; the gain (d,) of the last norm."""


@dataclass(frozen=True)
class Shape:
    """Layers and width; the width is a multiple of 4. Embedding and head are one matrix."""

    layers: int
    width: int

    @property
    def blocks(self) -> int:
        """Parameters of all layers: the matrices and the gains of their norms."""
        return self.layers * ((4 + 2 * WIDENING) * self.width**2 + 2 * self.width)

    @property
    def params(self) -> int:
        """All parameters, those of the embedding once."""
        return self.blocks + (VOCABULARY + 1) * self.width

    @property
    def flops_per_token(self) -> int:
        """FLOP of the matrix products to train on one token: forward, and twice that backward.

        Attention is counted whole, as it is computed, though half of it is masked.
        """
        products = (4 + 2 * WIDENING) * self.width**2 + 2 * CONTEXT * self.width
        return 3 * 2 * (self.layers * products + VOCABULARY * self.width)


def fresh(shape: Shape, key: jax.Array) -> Weights:
    """Return weights drawn from a normal distribution; those that write into the residual stream start smaller."""
    layers, width, inner = shape.layers, shape.width, WIDENING * shape.width
    embedding, attention, out, up, down = jax.random.split(key, 5)

    def drawn(key: jax.Array, *size: int, scale: float) -> jax.Array:
        return scale * jax.random.normal(key, size, jnp.float32)

    narrow, deep = width**-0.5, (2 * layers) ** -0.5
    return {
        "embedding": drawn(embedding, VOCABULARY, width, scale=narrow),
        "attention": drawn(attention, layers, width, 3 * width, scale=narrow),
        "out": drawn(out, layers, width, width, scale=narrow * deep),
        "up": drawn(up, layers, width, inner, scale=narrow),
        "down": drawn(down, layers, inner, width, scale=inner**-0.5 * deep),
        "before_attention": jnp.ones((layers, width)),
        "before_feed_forward": jnp.ones((layers, width)),
        "last": jnp.ones(width),
    }


def losses(weights: Weights, tokens: jax.Array) -> jax.Array:
    """Return -ln p (b, CONTEXT), nats, of each byte of tokens (b, CONTEXT + 1) after the first, given those before."""
    seen, wanted = tokens[:, :-1], tokens[:, 1:]
    stream = weights["embedding"][seen] * math.sqrt(weights["embedding"].shape[1])
    stacked = {name: weights[name] for name in weights if name not in ("embedding", "last")}
    stream, _ = jax.lax.scan(lambda stream, layer: (_layer(stream, layer), None), stream, stacked)
    logits = _normed(stream, weights["last"]) @ weights["embedding"].T
    picked = jnp.take_along_axis(logits, wanted[..., None].astype(jnp.int32), axis=-1)[..., 0]
    return jax.nn.logsumexp(logits, axis=-1) - picked


def _layer(stream: jax.Array, layer: Weights) -> jax.Array:
    batch, length, width = stream.shape
    mixed = _normed(stream, layer["before_attention"]) @ layer["attention"]
    query, key, value = (part.reshape(batch, length, HEADS, width // HEADS) for part in jnp.split(mixed, 3, axis=-1))
    heads = jax.nn.dot_product_attention(_turned(query), _turned(key), value, is_causal=True)
    stream = stream + heads.reshape(batch, length, width) @ layer["out"]
    inner = jax.nn.gelu(_normed(stream, layer["before_feed_forward"]) @ layer["up"])
    return stream + inner @ layer["down"]


def _normed(stream: jax.Array, gain: jax.Array) -> jax.Array:
    """Return vectors of mean square one, times the gain.   Source: Zhang & Sennrich 2019, arXiv 1910.07467."""
    return stream * jax.lax.rsqrt(jnp.mean(stream**2, axis=-1, keepdims=True) + 1e-6) * gain


def _turned(heads: jax.Array) -> jax.Array:
    """Return queries or keys (b, t, h, k), each pair of coordinates turned by an angle that grows with its place."""
    half = heads.shape[-1] // 2
    speed = ROTATION ** (-jnp.arange(half) / half)
    angle = jnp.arange(heads.shape[1])[:, None, None] * speed
    even, odd = heads[..., :half], heads[..., half:]
    cos, sin = jnp.cos(angle), jnp.sin(angle)
    return jnp.concatenate([even * cos - odd * sin, even * sin + odd * cos], axis=-1)
