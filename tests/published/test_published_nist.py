"""Certified least-squares problems, NIST StRD, read from ../shared/nist: a user's own law, real coefs, default options.

Nothing is tuned to a file: each fit is given one of the two starts that NIST prints, the far one and the near one.
Source: NIST/ITL, Statistical Reference Datasets, nonlinear regression; certified by two independent algorithms in
128-bit arithmetic to 11 digits.
"""

import re
from functools import cache

import jax.numpy as jnp
import numpy as np
import pytest

import jaxscale as js
from jaxscale.status import Status

DIGITS = 11
SOLVED, ENOUGH = 4.0, 29


def chwirut(x, *, b1, b2, b3):
    return jnp.exp(-b1 * x) / (b2 + b3 * x)


def danwood(x, *, b1, b2):
    return b1 * x**b2


def eckerle(x, *, b1, b2, b3):
    return b1 / b2 * jnp.exp(-(((x - b3) / b2) ** 2) / 2)


def gauss(x, *, b1, b2, b3, b4, b5, b6, b7, b8):
    return b1 * jnp.exp(-b2 * x) + b3 * jnp.exp(-(((x - b4) / b5) ** 2)) + b6 * jnp.exp(-(((x - b7) / b8) ** 2))


def kirby(x, *, b1, b2, b3, b4, b5):
    return (b1 + b2 * x + b3 * x**2) / (1 + b4 * x + b5 * x**2)


def lanczos(x, *, b1, b2, b3, b4, b5, b6):
    return b1 * jnp.exp(-b2 * x) + b3 * jnp.exp(-b4 * x) + b5 * jnp.exp(-b6 * x)


def mgh09(x, *, b1, b2, b3, b4):
    return b1 * (x**2 + x * b2) / (x**2 + x * b3 + b4)


def mgh17(x, *, b1, b2, b3, b4, b5):
    return b1 + b2 * jnp.exp(-x * b4) + b3 * jnp.exp(-x * b5)


def misra1a(x, *, b1, b2):
    return b1 * (1 - jnp.exp(-b2 * x))


def misra1b(x, *, b1, b2):
    return b1 * (1 - (1 + b2 * x / 2) ** -2)


def misra1c(x, *, b1, b2):
    return b1 * (1 - (1 + 2 * b2 * x) ** -0.5)


def misra1d(x, *, b1, b2):
    return b1 * b2 * x / (1 + b2 * x)


def nelson(x1, x2, *, b1, b2, b3):
    """The logarithm of Nelson's response."""
    return b1 - b2 * x1 * jnp.exp(-b3 * x2)


LAWS = {
    "Chwirut1": chwirut,
    "Chwirut2": chwirut,
    "DanWood": danwood,
    "Eckerle4": eckerle,
    "Gauss1": gauss,
    "Gauss2": gauss,  # the shape of Gauss1, and so its programs
    "Kirby2": kirby,
    "Lanczos3": lanczos,
    "MGH09": mgh09,
    "MGH17": mgh17,
    "Misra1a": misra1a,
    "Misra1b": misra1b,
    "Misra1c": misra1c,
    "Misra1d": misra1d,
    "Nelson": nelson,
}
QUICK = {"Eckerle4", "MGH09", "Misra1a"}
"""Hard ones and an easy one; the others are slow, for each compiles programs of its own."""
NAMES = [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in LAWS]
COEF = re.compile(r"\s*(b\d) =" + r"\s+(\S+)" * 4)


def read(path):
    """Return name → (start 1, start 2, certified value, its standard deviation), and the table, response first."""
    lines = path.read_text(encoding="ascii").splitlines()
    found = [COEF.match(line) for line in lines[40:49]]
    coefs = {match[1]: tuple(float(match[k]) for k in range(2, 6)) for match in found if match}
    return coefs, np.array([line.split() for line in lines[60:] if line.strip()], dtype=float)


@cache
def solved(folder, name):
    """Return both fits of a problem, from start 1 and from start 2, and what is certified."""
    coefs, table = read(folder / f"{name}.dat")
    y, *x = table.T
    inputs = ("x1", "x2") if name == "Nelson" else ("x",)
    law = js.Law(LAWS[name].__name__, LAWS[name], inputs, tuple(js.Coef(one, "real") for one in coefs))
    runs = js.Runs.from_arrays(loss=np.log(y) if name == "Nelson" else y, **dict(zip(inputs, x, strict=True)))
    starts = [{one: numbers[at] for one, numbers in coefs.items()} for at in (0, 1)]
    fits = [js.fit(runs, law, objective=js.squared(space="linear"), starts=start) for start in starts]
    return fits, coefs


def digits(found, certified):
    """Return the log relative error, -log10 |found - certified| / |certified|, of the worst coef."""
    if any(one is None for one in found):
        return 0.0
    error = np.max(np.abs(np.array(found) / np.array(certified) - 1))
    return float(np.clip(-np.log10(max(error, 10.0**-DIGITS)), 0, DIGITS))


def scores(folder, name):
    """Return for each start the status, and the digits of the coefs and of the standard errors."""
    fits, coefs = solved(folder, name)
    _, _, values, errors = zip(*coefs.values(), strict=True)
    return [
        (fit.status, digits(list(fit.coefs.values()), values), digits(list(fit.std.values()), errors)) for fit in fits
    ]


@pytest.mark.parametrize("name", NAMES)
def test_converged_means_the_certified_minimum(certified, name):
    fits, coefs = solved(certified, name)
    values = [value for _, _, value, _ in coefs.values()]
    for fit, (status, found, _) in zip(fits, scores(certified, name), strict=True):
        assert status is not Status.AT_BOUND  # a real coef has no bound
        if name == "MGH17":  # b1 + b2 e^(-b4 x) + b3 e^(-b5 x) is the same curve with its terms exchanged
            found = max(found, digits([fit.coefs[one] for one in ("b1", "b3", "b2", "b5", "b4")], values))
        assert found > SOLVED or status is not Status.CONVERGED


@pytest.mark.parametrize("name", NAMES)
def test_a_solved_problem_has_the_certified_standard_errors(certified, name):
    assert all(error >= SOLVED for _, found, error in scores(certified, name) if found > SOLVED)


@pytest.mark.parametrize("name", NAMES)
def test_the_near_start_is_always_solved(certified, name):
    status, found, _ = scores(certified, name)[1]
    assert status is Status.CONVERGED
    assert found > SOLVED


@pytest.mark.slow
def test_nearly_every_start_is_solved_to_nine_digits_on_average(certified):
    found = np.array([one for name in LAWS for _, one, _ in scores(certified, name)])
    assert len(found) == 30
    assert np.sum(found > SOLVED) >= ENOUGH
    assert found.mean() >= 9
