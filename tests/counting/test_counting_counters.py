"""Every counter against numbers that papers print, and against each other."""

import inspect
import math

import numpy as np
import pytest

from jaxscale import counting
from jaxscale.counting import CONVENTIONS, Architecture
from jaxscale.errors import UsageError

# Hoffmann et al. 2022, table A9: width, feed-forward width, key size, heads, layers; table A4: N and FLOP over 6 N D.
CHINCHILLA = {
    "73M": (640, 2560, 64, 10, 10, 73e6, 1.03, 1.037),
    "305M": (1024, 4096, 64, 16, 20, 305e6, 1.10, 1.103),
    "552M": (1280, 5120, 128, 10, 24, 552e6, 1.08, 1.084),
    "1.1B": (1792, 7168, 128, 14, 26, 1143e6, 1.04, 1.044),
    "1.6B": (2048, 8192, 128, 16, 28, 1.6e9, 1.03, 1.028),
    "6.8B": (3584, 14336, 128, 28, 40, 6.8e9, 0.99, 0.994),
}
WITH_ENDS = {"73M": 1.60, "305M": 1.32, "552M": 1.23, "1.6B": 1.11, "6.8B": 1.03}
GPT3 = Architecture(96, 12288, heads=96, key_size=128, vocabulary=50257, context=2048)


def chinchilla(name):
    width, feed_forward, key, heads, layers, *_ = CHINCHILLA[name]
    return Architecture(layers, width, heads, key, feed_forward, vocabulary=32000, context=2048)


@pytest.mark.parametrize("name", CHINCHILLA)
def test_table_a4_of_hoffmann_comes_out_without_embedding_and_head(name):
    """Reference values to 1e-3, and what the paper prints, which is cut rather than rounded to two digits."""
    params, printed, expected = CHINCHILLA[name][5:]
    ratio = counting.chinchilla_sequence(chinchilla(name), embedding=False, head=False).ratio(params)
    assert ratio == pytest.approx(expected, abs=1e-3)
    assert abs(ratio - printed) < 0.01


@pytest.mark.parametrize("name", WITH_ENDS)
def test_table_a4_does_not_come_out_with_embedding_and_head(name):
    ratio = counting.chinchilla_sequence(chinchilla(name)).ratio(CHINCHILLA[name][5])
    assert ratio == pytest.approx(WITH_ENDS[name], abs=5e-3)
    assert abs(ratio - CHINCHILLA[name][6]) > 0.03


def test_the_items_of_a_sequence_add_up_and_the_switches_leave_theirs_out():
    whole = counting.chinchilla_sequence(GPT3)
    bare = counting.chinchilla_sequence(GPT3, embedding=False, head=False)
    causal = counting.chinchilla_sequence(GPT3, causal_factor=0.5)
    items = ("embedding", "qkv", "logits", "softmax", "reduce", "out", "dense", "head")
    assert whole.forward == pytest.approx(sum(getattr(whole, name) for name in items), rel=1e-14)
    assert whole.training == pytest.approx(3 * whole.forward, rel=1e-14)
    assert whole.forward - bare.forward == pytest.approx(4 * 2048 * 50257 * 12288, rel=1e-9)
    assert whole.forward - causal.forward == pytest.approx(
        0.5 * (whole.logits + whole.softmax + whole.reduce), rel=1e-9
    )
    assert counting.chinchilla_flops(GPT3, 2048.0) == pytest.approx(whole.training, rel=1e-14)


@pytest.mark.parametrize(
    ("layers", "width", "expected"), [(8, 512, (0.428571, 1.321429)), (80, 8192, (0.923077, 0.935096))]
)
def test_the_ratios_of_deepseek(layers, width, expected):
    """Bi et al. 2024 print 0.43 and 1.32 for the smallest network, 0.92 and 0.94 for the largest."""
    shape = Architecture(layers, width, vocabulary=102400, context=4096)
    np.testing.assert_allclose(counting.deepseek_ratios(shape), expected, rtol=1e-5)


def test_the_best_scale_and_tokens_of_deepseek_multiply_to_the_budget():
    for flops in (1e18, 1e20):
        assert math.prod(counting.deepseek_optimum(flops)) == pytest.approx(flops, rel=2e-4)


def test_the_layers_of_gpt3_have_174_billion_params():
    """The embedding makes them the 175 B of Brown et al. 2020, arXiv 2005.14165, table 2.1."""
    assert counting.layer_params(96, 12288) == pytest.approx(1.739461755e11, rel=1e-9)
    assert GPT3.params("nonembedding") == counting.layer_params(96, 12288)
    assert 174.5e9 < GPT3.params() < 175.5e9


def test_six_params_tokens_of_the_layers_is_72_b_s_l_d_squared():
    batch, sequence = 1536, 2048
    tokens = batch * sequence
    expected = 72 * batch * sequence * 96 * 12288**2
    assert counting.training_flops(GPT3.params("nonembedding"), tokens) == pytest.approx(expected, rel=1e-14)


def test_integers_do_not_overflow():
    """1e12 params and 1e13 tokens as int64 would wrap: 6 N D is 6e25, and 2^63 is 9.2e18."""
    params, tokens = np.array([10**12]), np.array([10**13])
    for flops in (counting.training_flops(params, tokens), 3 * counting.inference_flops(params, tokens)):
        np.testing.assert_allclose(flops, 6e25, rtol=1e-14)
    np.testing.assert_allclose(counting.precision_flops(params, tokens, bits=16), 6e25, rtol=1e-14)
    assert counting.kaplan_flops(GPT3, tokens)[0] > 1e24


def test_kaplans_context_term_is_a_twelfth_where_the_width_is_the_context():
    """n_ctx / (12 d) of 2 N_ne: Kaplan et al. 2020, §2.1, neglect it where d exceeds n_ctx / 12."""
    shape = Architecture(6, 1024, context=1024)
    assert counting.kaplan_forward(shape) / (2 * shape.params("nonembedding")) == pytest.approx(13 / 12, rel=1e-14)
    assert counting.kaplan_flops(shape, 10.0) == pytest.approx(30 * counting.kaplan_forward(shape), rel=1e-14)


def test_palm_deepseek_and_chinchilla_count_the_same_products_of_matrices():
    """With N = 12 l d^2, 6 N + 12 l H Q T is DeepSeek's M, and Chinchilla's without its softmax."""
    params = GPT3.params("nonembedding")
    palm = counting.palm_flops_per_token(params, GPT3)
    assert palm == pytest.approx(counting.deepseek_scale(GPT3), rel=1e-14)
    itemised = counting.chinchilla_sequence(GPT3, embedding=False, head=False)
    assert palm == pytest.approx(itemised.per_token - 3 * itemised.softmax / 2048, rel=1e-12)
    assert counting.deepseek_flops(GPT3, 7.0) == pytest.approx(7 * palm, rel=1e-14)


def test_rematerialisation_costs_a_third_more_and_utilisation_is_a_share():
    """Chowdhery et al. 2022: 46.2 % MFU of PaLM at 238.3e3 tokens/s on 6144 TPU v4 of 275e12 FLOP/s."""
    palm = Architecture(118, 18432, heads=48, key_size=256, context=2048)
    useful = counting.palm_flops_per_token(540e9, palm)
    hardware = counting.palm_hardware_flops_per_token(540e9, palm)
    assert hardware / useful == pytest.approx(4 / 3, rel=1e-14)
    assert counting.utilisation(238.3e3, useful, peak=6144 * 275e12) == pytest.approx(0.462, abs=2e-3)


def test_params_by_convention_differ_by_one_embedding_each():
    tied = Architecture(2, 64, vocabulary=1000)
    untied = Architecture(2, 64, vocabulary=1000, is_tied=False)
    counts = [untied.params(name) for name in ("nonembedding", "nonembedding+head", "total")]
    np.testing.assert_allclose(np.diff(counts), 64000, rtol=1e-14)
    assert tied.params("total") == tied.params("nonembedding+head") == untied.params("nonembedding+head")


def test_a_gated_network_has_three_matrices_and_experts_share_attention():
    """Porian et al. 2024 have 331,776 params in 3 layers of width 96, with gates of width 256."""
    assert Architecture(3, 96, feed_forward=256, matrices=3).params("nonembedding") == 331776
    sparse = Architecture(2, 64, experts=8, active_experts=2)
    assert sparse.params("nonembedding") == 2 * (4 * 64**2 + 8 * 8 * 64**2)
    assert sparse.active_params() == 2 * (4 * 64**2 + 2 * 8 * 64**2)


def test_routing_adds_to_what_active_params_cost():
    """(12 d^2 6 + d E G c_r) D l: Krajewski et al. 2024 with all of the network active."""
    shape = Architecture(4, 256, experts=64)
    routing = counting.routing_flops_per_token(shape, granularity=8, flops_per_route=14)
    dense = counting.layer_params(4, 256)
    expected = (12 * 256**2 * 6 + 256 * 64 * 8 * 14) * 1e9 * 4
    assert counting.expert_flops(dense, 1e9, routing=routing) == pytest.approx(expected, rel=1e-14)


def test_omega_is_that_of_pearce_and_song_and_counts_the_embeddings():
    """ω = 47491 for V = 32000 at d / l = 39.2, from the authors' code; the aspect is printed with three digits."""
    assert counting.omega_of(32000, aspect=39.2) == pytest.approx(47491, rel=1e-3)
    shape = Architecture(10.0, 392.0, vocabulary=32000)
    omega = counting.omega_of(32000, aspect=39.2)
    own = shape.params("nonembedding")
    assert own + omega * own ** (1 / 3) == pytest.approx(shape.params("total"), rel=1e-12)


def test_a_pf_day_is_8_64e19_flop_and_there_and_back_is_nothing():
    assert counting.PF_DAY == 8.64e19
    assert counting.pf_days(counting.flops_of_pf_days(3.7)) == pytest.approx(3.7, rel=1e-15)


def test_units_of_loss():
    """A uniform guess among 256 bytes costs 8 bits, ln 256 nats; four bytes a token make it a quarter per byte."""
    assert counting.bits(math.log(256)) == pytest.approx(8, rel=1e-15)
    assert counting.nats(8) == pytest.approx(math.log(256), rel=1e-15)
    assert counting.bits_per_byte(math.log(256), tokens_per_byte=0.25) == pytest.approx(2, rel=1e-15)
    assert counting.loss_of_bits_per_byte(2, tokens_per_byte=0.25) == pytest.approx(math.log(256), rel=1e-15)
    assert counting.nats_per_byte(3.0, tokens_per_byte=0.25) == 0.75
    assert counting.nats_per_character(3.0, tokens_per_character=0.2) == pytest.approx(0.6, rel=1e-15)


@pytest.mark.parametrize("value", [0, -1, np.nan, np.inf, np.array([1.0, 0.0])])
def test_a_shape_that_is_not_positive_is_refused(value):
    with pytest.raises(UsageError, match="architecture: width"):
        Architecture(1, value)


def test_what_a_count_needs_is_asked_for():
    with pytest.raises(UsageError, match=r"needs context .*Architecture\(context="):
        counting.kaplan_forward(Architecture(1, 1))
    with pytest.raises(UsageError, match="needs vocabulary"):
        Architecture(1, 1).params()
    with pytest.raises(UsageError, match="unknown count of params 'all'"):
        Architecture(1, 1).params("all")


COUNTERS = (
    "training_flops inference_flops precision_flops layer_params kaplan_forward chinchilla_sequence "
    "palm_flops_per_token palm_hardware_flops_per_token deepseek_scale expert_flops"
)


@pytest.mark.parametrize("name", COUNTERS.split())
def test_every_counter_names_its_convention(name):
    text = inspect.getdoc(getattr(counting, name))
    assert any(f"`{one}`" in text for one in CONVENTIONS.names)


def test_every_convention_has_a_formula_and_a_source():
    for one in CONVENTIONS:
        assert one.formula
        assert one.source
        assert one.tag in ("paper", "code", "second-hand", "refit")
