"""Units of compute and of loss: PF-days, nats, bits, and what one byte or one character costs."""

from __future__ import annotations

import math

from jaxscale.costs.spec import Numbers

PF_DAY = 1e15 * 86_400
"""FLOP of 1e15 FLOP a second for a day, 8.64e19.   Source: Kaplan et al. 2020, arXiv 2001.08361, §1.3."""


def pf_days(flops: Numbers) -> Numbers:
    """Return FLOP in PF-days."""
    return flops / PF_DAY


def flops_of_pf_days(days: Numbers) -> Numbers:
    """Return PF-days in FLOP."""
    return PF_DAY * days


def bits(nats: Numbers) -> Numbers:
    """Return nats in bits: over ln 2."""
    return nats / math.log(2.0)


def nats(bits: Numbers) -> Numbers:
    """Return bits in nats: times ln 2."""
    return math.log(2.0) * bits


def bits_per_byte(loss: Numbers, *, tokens_per_byte: Numbers) -> Numbers:
    """Return a loss in nats per token as bits per byte; tokens_per_byte is the tokenizer's on that text."""
    return bits(loss) * tokens_per_byte


def nats_per_byte(loss: Numbers, *, tokens_per_byte: Numbers) -> Numbers:
    """Return a loss in nats per token as nats per byte of the text."""
    return loss * tokens_per_byte


def nats_per_character(loss: Numbers, *, tokens_per_character: Numbers) -> Numbers:
    """Return a loss in nats per token as nats per character of the text."""
    return loss * tokens_per_character


def loss_of_bits_per_byte(bits_per_byte: Numbers, *, tokens_per_byte: Numbers) -> Numbers:
    """Return bits per byte as a loss in nats per token."""
    return nats(bits_per_byte) / tokens_per_byte
