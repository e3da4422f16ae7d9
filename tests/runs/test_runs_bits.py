"""A loss in bits, by the name of its column, is said to be one, and the formula that is told reads it as nats."""

import shlex

import numpy as np
import pytest

NATS = np.array([3.4, 3.2, 3.0])

BITS = {
    "loss (bits)": "bits",
    "loss_bits": "bits",
    "val_bpb": "bits per byte",
    "summary.eval/bpb": "bits per byte",
    "bpc": "bits per character",
    "bits_per_byte": "bits per byte",
    "Bits per Char": "bits per character",
    "bits_per_token": "bits per token",
}


def table(header, losses):
    rows = zip((1e8, 2e8, 4e8), (2e9, 4e9, 8e9), losses, strict=True)
    return f"params,tokens,{header}\n" + "".join(f"{n},{d},{loss!r}\n" for n, d, loss in rows)


def said(runs):
    return next((one.message for one in runs.check() if one.code == "loss-in-bits"), None)


@pytest.mark.parametrize("header", BITS)
def test_bits_are_named_and_what_is_told_reads_nats(read, header):
    text = table(header, (NATS / np.log(2)).tolist())
    message = said(read(text, map={"loss": header}))
    assert f"holds {BITS[header]}, by its name" in message
    (formula,) = (word[5:] for word in shlex.split(message) if word.startswith("loss="))
    runs = read(text, map={"loss": formula})
    np.testing.assert_allclose(runs.loss, NATS, rtol=1e-6)
    assert said(runs) is None
    assert ("no nats per token" in message) == BITS[header].endswith(("byte", "character"))


def test_bits_that_are_scaled_to_nats_are_nats(read):
    assert said(read(table("bpb", NATS.tolist()), map={"loss": "bpb"}, scale={"bpb": 0.6931})) is None


@pytest.mark.parametrize(
    "header", ["loss", "val_loss", "loss_nats", "orbits", "loss_8bit", "loss (4 bits)", "rabbits loss"]
)
def test_other_names_say_nothing_of_bits(read, header):
    assert said(read(table(header, NATS.tolist()), map={"loss": header})) is None


def test_bits_forbid_no_plan(read):
    from jaxscale.finding import forbids_plan

    assert forbids_plan(read(table("bpb", NATS.tolist()), map={"loss": "bpb"}).check()) is None
