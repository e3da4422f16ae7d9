"""The conversions beside the laws: of plain numbers they are float64, to fifty digits, whatever the caller's settings.

Not inside a scope of float64, as the other tests of laws are: a person calls them from outside of it.
"""

import jax
import numpy as np
import pytest
from mpmath import mp, mpf

import jaxscale as js
from jaxscale.allocation import kaplan_training, separable
from jaxscale.laws import LAWS, chinchilla, effective_size, embeddings, experts, repeated
from jaxscale.laws import precision as bits
from jaxscale.laws import transfer as transfers

T5 = LAWS.resolve("sparsity").constants("frantar2023-t5")
BASED = LAWS.resolve("routed").constants("clark2022-sbase")
BASE = {"A": 400.0, "B": 1200.0, "alpha": 0.33, "beta": 0.37}
GAMMAS = {"gamma_w": 2.6745, "gamma_a": 2.2102, "gamma_kv": 0.9578}


def exact(coefs):
    return {name: mpf(value) for name, value in coefs.items()}


def fed(unique, A, B, alpha, beta):
    balance = (alpha * A / (beta * B)) ** (1 / (alpha + beta))
    return (unique * balance) ** (beta / alpha) * balance


def decayed(amount, base, half):
    return base + base * half * (1 - mp.exp(-(amount / base - 1) / half))


def saturated(experts, E_start, E_max):
    return 1 / (1 / (experts - 1 + 1 / (1 / E_start - 1 / E_max)) + 1 / E_max)


def effective_experts(params, experts, a, b, c, d, E_start, E_max):
    least, routed_by = (a + c * mp.log10(one) for one in (E_start, saturated(experts, E_start, E_max)))
    return params ** (routed_by / least) * (saturated(experts, E_start, E_max) / E_start) ** (b / least)


def best_sparsity(params, flops, a_S, b_S, b_N, a_D, b_D, **others):
    ratio = b_D * a_D**b_D * params**b_N / (a_S * b_S) * (flops / (6 * params)) ** -b_D
    return 1 - ratio ** (1 / (b_D + b_S))


def denser(share, a_S, b_S, c_S, b_N, **others):
    return ((a_S + c_S) / (a_S * (1 - share) ** b_S + c_S)) ** (1 / b_N)


CALLS = {
    "total params": (embeddings.total_params, (10**11,), {}, lambda n: n + 47491 * mp.cbrt(n)),
    "fed params": (repeated.fed_params, (25 * 10**9,), BASE, fed),
    "repeated tokens": (repeated.decayed, (10**11, 25 * 10**9, 15), {}, decayed),
    "saturated experts": (experts.saturated_experts, (64, 2.07, 290.45), {}, saturated),
    "tokens per param": (
        chinchilla.optimal_tokens_per_param,
        (),
        {"a": 212, "b": 367, "eta": 0.1364},
        lambda a, b, eta: (b / a) ** (1 / (2 * eta)),
    ),
    "streams": (
        effective_size.effective_params,
        (10**10, 8),
        {"k": 0.3},
        lambda n, p, k: n * (k * mp.log(p) + 1),
    ),
    "bits": (
        bits.effective_params,
        (10**10, 16, 8, 4),
        GAMMAS,
        lambda n, w, a, kv, gamma_w, gamma_a, gamma_kv: (
            n * (1 - mp.exp(-w / gamma_w)) * (1 - mp.exp(-a / gamma_a)) * (1 - mp.exp(-kv / gamma_kv))
        ),
    ),
    "transferred": (
        transfers.transferred,
        (10**8, 10**9),
        {"k": 1.9e4, "alpha": 0.18, "beta": 0.38},
        lambda d, n, k, alpha, beta: k * d**alpha * n**beta,
    ),
    "under chance": (chinchilla.under_chance, (3.2, 10.8), {}, lambda e, c: e * c / mp.sqrt(e**2 + c**2)),
}
OF_COEFS = {
    "experts as params": (experts.effective_params, (3 * 10**9, 64), BASED, effective_experts),
    "best sparsity": (effective_size.optimal_sparsity, (10**8, 10**24), T5, best_sparsity),
    "how much denser": (effective_size.size_multiplier, (0.75,), T5, denser),
}


@pytest.mark.parametrize("name", [*CALLS, *OF_COEFS])
def test_a_conversion_of_plain_numbers_agrees_with_fifty_digits(name):
    """Whole numbers beyond 32 and 64 bits are numbers, too, and lists are arrays."""
    function, numbers, coefs, formula = {**CALLS, **OF_COEFS}[name]
    given = ({}, (coefs,)) if name in OF_COEFS else (coefs, ())
    with mp.workdps(50):
        want = float(formula(*map(mpf, numbers), **exact(coefs)))
    found = function(*numbers, *given[1], **given[0])
    assert isinstance(found, np.float64)
    assert found == pytest.approx(want, rel=1e-13)
    lists = function(*([one] for one in numbers), *given[1], **given[0])
    np.testing.assert_allclose(lists, [found] if numbers else found, rtol=1e-15)


def test_params_without_embeddings_are_the_inverse_of_total_ones_outside_of_float64():
    for params in (10**3, 1e5, 10**12):
        assert embeddings.non_embedding_params(embeddings.total_params(params)) == pytest.approx(params, rel=1e-13)


def test_what_repeated_runs_are_worth_is_in_float64():
    """laws.md (c) 11, to the tolerance printed there: U_N / U_D of Muennighoff's constants."""
    tied = LAWS.resolve("chinchilla-tied").constants("muennighoff2023")
    of_both = {"A": tied["A"], "B": tied["B"], "alpha": tied["alpha"], "beta": tied["alpha"]}
    assert repeated.fed_params(25e9, **of_both) / 25e9 == pytest.approx(0.05098652, rel=1e-6)
    worth = repeated.effective(5e10, 1e11, 3e9, **BASE, R_N=4.0, R_D=11.0)
    with mp.workdps(50):
        size = float(decayed(mpf(5e10), fed(mpf(3e9), **exact(BASE)), mpf(4)))
    assert worth.params == pytest.approx(size, rel=1e-13)


def test_with_an_array_of_jax_a_conversion_is_in_the_callers_precision_and_differentiable():
    found = jax.jit(embeddings.total_params)(1e7)
    assert isinstance(found, jax.Array)
    assert found.dtype == np.float32
    slope = jax.grad(lambda params: repeated.decayed(params, 1e9, 4.0))(2e9)
    assert float(slope) == pytest.approx(np.exp(-0.25), rel=1e-6)


@pytest.mark.parametrize(("flops", "unique"), [(1e23, 1e9), (1e26, 2.5e10), (1e24, 1e9)])
def test_a_budget_of_thousands_of_epochs_is_split_where_the_law_is_flat_to_float64(flops, unique):
    """The size at which sixty digits see the slope change its sign; the loss differs from its neighbours' by 1e-30."""
    coefs = {"E": 1.8, **BASE, "R_N": 4.0, "R_D": 11.0}
    front = js.frontier(law="data-constrained", coefs=coefs, flops=[flops], fixed={"unique_tokens": unique})
    with mp.workdps(400):
        A, B, alpha, beta = (mpf(BASE[name]) for name in BASE)
        base = fed(mpf(unique), A, B, alpha, beta)

        def slope(log_params):
            params, tokens = mp.exp(log_params), mpf(flops) / 6 / mp.exp(log_params)
            size, data = decayed(params, base, mpf(4)), decayed(tokens, mpf(unique), mpf(11))
            of_params = mp.exp(-(params / base - 1) / 4) * params
            of_tokens = mp.exp(-(tokens / mpf(unique) - 1) / 11) * tokens
            return alpha * A * size ** (-alpha - 1) * of_params - beta * B * data ** (-beta - 1) * of_tokens

        low, high = mp.log(base), mp.log(mpf(flops) / 6 / mpf(unique))
        for _ in range(200):
            middle = (low + high) / 2
            low, high = (middle, high) if slope(middle) > 0 else (low, middle)
        want = float(mp.exp(middle))
    assert front.params[0] == pytest.approx(want, rel=1e-6)


def test_closed_forms_take_whole_numbers_beyond_64_bits_and_lists():
    lists = separable.optimum("besiroglu2024", [10**24, 10**21])
    np.testing.assert_allclose(lists.params, separable.optimum("besiroglu2024", np.array([1e24, 1e21])).params)
    assert separable.optimum("besiroglu2024", 10**24).params == pytest.approx(lists.params[0], rel=1e-14)
    pair = kaplan_training.critical_batch("kaplan2020", loss=[2.0, 3.0])
    assert pair[1] == pytest.approx(kaplan_training.critical_batch("kaplan2020", loss=3.0), rel=1e-14)


@pytest.mark.parametrize("kind", [np.int32, np.float32, int, lambda number: np.array(number, dtype=object)])
def test_a_number_of_any_kind_is_taken_as_float64(kind):
    """An int32 would overflow in the product of a base and its half-life."""
    found = repeated.decayed(kind(2 * 10**9), kind(10**9), kind(15))
    with mp.workdps(50):
        assert found == pytest.approx(float(decayed(mpf(2e9), mpf(1e9), mpf(15))), rel=1e-13)
    assert kaplan_training.critical_batch("kaplan2020", loss=kind(3)) == kaplan_training.critical_batch(
        "kaplan2020", loss=3.0
    )


def test_tuples_are_arrays_and_other_arguments_are_left_alone():
    np.testing.assert_array_equal(embeddings.total_params((1e7, 1e8)), embeddings.total_params(np.array([1e7, 1e8])))
    price = separable.Price(k=6, u=1, v=1)
    plain = separable.optimum("besiroglu2024", 1e21)
    assert separable.optimum("besiroglu2024", 1e21, price).params == pytest.approx(plain.params, rel=1e-14)
