# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # A law of one's own, and a budget in money
#
# A law is a function of its inputs and coefs, written in JAX. This one lets the gain from data depend on size: it
# adds a term in both to Chinchilla's. It is fitted, compared with the law without that term, and then spends a budget
# that buys compute *and* data, by gradient descent with optax, with the derivatives of the optimum.

# %%
# %matplotlib inline
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pandas as pd

import jaxscale as js
from jaxscale.figures import FIGURES

# %% tags=["parameters"]
replicates = 1000
runs = js.datasets.load("pilot", group="run")  # seeds of one run are a group


# %%
def loss(params, tokens, *, E, A, B, K, alpha, beta):
    """L(N, D) = E + A/N^alpha + B/D^beta + K / (N^alpha D^beta), nats per token; elementwise."""
    size, data = jnp.exp(-alpha * jnp.log(params)), jnp.exp(-beta * jnp.log(tokens))
    return E + A * size + B * data + K * size * data


law = js.Law(
    name="interacting",
    loss=loss,
    inputs=("params", "tokens"),
    coefs=(
        js.Coef("E", "positive", starts=(0.5, 1.5), meaning="irreducible loss"),
        js.Coef("A", "positive", starts=(10.0, 300.0), meaning="scale of the size term"),
        js.Coef("B", "positive", starts=(10.0, 1000.0), meaning="scale of the data term"),
        js.Coef("K", "real", starts=(0.0,), meaning="scale of the term in both"),
        js.Coef("alpha", "positive", starts=(0.3, 0.6), meaning="exponent of params"),
        js.Coef("beta", "positive", starts=(0.3, 0.6), meaning="exponent of tokens"),
    ),
    equation="L = E + A/N^alpha + B/D^beta + K/(N^alpha D^beta)",
)

# %% [markdown]
# A misspelt argument, a coef without a start or a law that is not twice differentiable is refused when the law is
# made. From here on the law is like any other.

# %%
fit, plain = js.fit(runs, law), js.fit(runs, "chinchilla")
print(fit.summary())
print(plain.summary())

# %% [markdown]
# Is the sixth coef worth having? Its interval says whether it differs from nothing, and the sum of the objective what
# it buys on these runs.

# %%
ensemble = js.bootstrap(fit, scheme="cluster", replicates=replicates, seed=0)
band = ensemble.interval("K", level=0.95)
usable = int(np.sum(ensemble.usable))
print(f"K {band.lower:.3g} … {fit.coefs['K']:.3g} … {band.upper:.3g}, from {usable} of {replicates} replicates")
print(f"objective {plain.value:.4g} without it, {fit.value:.4g} with it")
print("the interval", "holds" if band.lower < 0 < band.upper else "does not hold", "zero, a law without that term")

# %%
FIGURES.resolve("residuals").make(fit)

# %% [markdown]
# ## A budget in money
#
# On compute alone the best size is `allocate`, whose derivatives are those of the optimum. How it moves with each
# coef, in ln N per unit of ln coef:

# %%
budget = 10 * float(np.max(6 * runs["params"] * runs["tokens"]))


def log_params(coefs):
    """Return ln N* at the budget."""
    return js.allocate(law, coefs, flops=budget).log_params


with jax.enable_x64(True):
    slopes = jax.grad(log_params)(dict(fit.coefs))
pd.Series({name: float(slope) * fit.coefs[name] for name, slope in slopes.items()}, name="d ln N* / d ln coef")

# %% [markdown]
# Data cost money, too. Say that a token costs as much as so many FLOP, because it is bought, cleaned or licensed: the
# budget is then 6 N D + price · D. There is no closed form, and none is needed: ln N is the one unknown, D follows
# from the budget, and optax descends. The whole descent is a function of price and coefs, so it is mapped over both.


# %%
def spent(log_params, coefs, price):
    """Return the loss of a size whose tokens use up the budget."""
    params = jnp.exp(log_params)
    return loss(params, budget / (6.0 * params + price), **coefs)


def best(coefs, price, steps=300):
    """Return ln N* by Adam, from the optimum on compute alone."""
    descent = optax.adam(optax.cosine_decay_schedule(0.1, steps))
    start = js.allocate(law, coefs, flops=budget).log_params

    def step(state, _):
        at, memory = state
        update, memory = descent.update(jax.grad(spent)(at, coefs, price), memory)
        return (at + update, memory), None

    (at, _), _ = jax.lax.scan(step, (start, descent.init(start)), None, length=steps)
    return at


on_compute = js.frontier(ensemble, flops=budget)
prices = 6.0 * float(on_compute.point.params[0]) * np.array([0.0, 0.1, 1.0, 10.0])
with jax.enable_x64(True):
    over_prices = jax.jit(jax.vmap(best, in_axes=(None, 0)))
    sizes = np.exp(over_prices(dict(fit.coefs), jnp.asarray(prices)))
    over_both = jax.jit(jax.vmap(jax.vmap(best, in_axes=(None, 0)), in_axes=(0, None)))
    drawn = {name: jnp.asarray(values[ensemble.usable]) for name, values in ensemble.coefs.items()}
    with_ensemble = np.exp(over_both(drawn, jnp.asarray(prices)))
low, high = np.quantile(with_ensemble, [0.025, 0.975], axis=0)
tokens = budget / (6.0 * sizes + prices)
pd.DataFrame({"FLOP per token bought": prices, "params": sizes, "low": low, "high": high, "tokens": tokens})

# %% [markdown]
# Where tokens are free it is `allocate`'s answer; the dearer they are, the larger the model and the fewer the tokens.
# The bands are those of the runs' noise, under this law.

# %%
print(f"allocate: {on_compute.point.params[0]:.4g} params; by descent: {sizes[0]:.4g}")
