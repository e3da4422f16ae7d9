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
# # Chinchilla's law, fitted again
#
# Hoffmann et al. (2022) fitted L(N, D) = E + A/N^α + B/D^β to about 240 runs. Besiroglu et al. (2024) read the runs
# off a figure and found that the published coefs do not minimise the published objective. Here the law is fitted to
# those runs once more: to its true minimum, with the three approaches to the best size side by side, and with what
# the runs leave open.

# %%
# %matplotlib inline
import numpy as np
import pandas as pd

import jaxscale as js
from jaxscale.approaches import agreement
from jaxscale.figures import FIGURES

# %% [markdown]
# The table is fetched once and checked against its digest; `JAXSCALE_DATA_DIR` names a folder that already has it.
# The replication leaves out the five highest losses.

# %% tags=["parameters"]
replicates = 4000
table = js.datasets.load("epoch-chinchilla")

# %%
runs = table.where("loss < 3.4469")
print(f"{len(runs)} of {len(table)} runs; {runs['flops'].min():.2g} to {runs['flops'].max():.2g} FLOP")

# %% [markdown]
# ## The minimum
#
# The objective of the paper is Huber's score, δ = 10⁻³, of ln(prediction) − ln(loss), summed over the runs. Its value
# at coefs that others give is that of a fit in which every coef is fixed.

# %%
fit = js.fit(runs, "chinchilla", objective=js.huber(1e-3))
print(fit.summary())


# %%
def value_at(coefs):
    """Return the objective at given coefs."""
    return js.fit(runs, "chinchilla", objective=js.huber(1e-3), fix=coefs).value


names = ("E", "A", "B", "alpha", "beta")
given = {
    "Hoffmann 2022, rounded": (1.69, 406.4, 410.7, 0.34, 0.28),
    "Hoffmann 2022, unrounded": (*np.exp([0.5267228, 6.0073404, 6.0179186]), 0.33917084, 0.2849083),
    "Besiroglu 2024, printed": (1.8172, 482.01, 2085.43, 0.3478, 0.3658),
}
rows = {}
for who, values in given.items():
    coefs = dict(zip(names, values))
    rows[who] = {**coefs, "objective": value_at(coefs)}
rows["the minimum"] = {**fit.coefs, "objective": fit.value}
pd.DataFrame(rows).T

# %% [markdown]
# Nothing that was published lies at the minimum. The coefs of the replication are nearly there; they are those of
# least absolute deviations, to which Huber's score comes down when its scale is fitted along with the law, as it was
# there.

# %%
least = js.fit(runs, "chinchilla", objective=js.absolute())
pd.DataFrame({"Huber": fit.coefs, "absolute": least.coefs, "as printed": coefs}).T

# %% [markdown]
# ## What the runs leave open
#
# Every replicate is a table drawn from the runs with replacement and fitted to its own minimum. A is known to a
# factor of two and a half, B to one of six, though each moves with its exponent, which is known to a tenth. What they
# say together, the best size, is known to a factor of two at a compute 45 times that of the largest run.

# %%
ensemble = js.bootstrap(fit, replicates=replicates, seed=0)
limits = {name: ensemble.interval(name, level=0.95) for name in names}
pd.DataFrame({name: {"low": one.lower, "fit": fit.coefs[name], "high": one.upper} for name, one in limits.items()}).T

# %%
FIGURES.resolve("coefs").make(js.Study(fit, ensemble))

# %%
budgets = np.geomspace(1e18, 1e26, 33)
front = js.frontier(ensemble, flops=budgets)
FIGURES.resolve("frontier").make(js.Study(fit, ensemble, front))

# %% [markdown]
# Chinchilla had 70 billion params and 1.4 trillion tokens, 20 per param. At its 5.76e23 FLOP these runs want:

# %%
at = js.frontier(ensemble, flops=5.76e23)
for quantity in ("params", "tokens", "tokens_per_param", "loss"):
    band = at.interval(quantity, level=0.95)
    print(f"{quantity:18}{band.lower[0]:10.4g} … {getattr(at.point, quantity)[0]:.4g} … {band.upper[0]:.4g}")

# %% [markdown]
# The band answers for the noise in the runs, under this law. It does not answer for the law: budgets above the shaded
# range are extrapolation.
#
# ## Three approaches
#
# Approach 1 is the lower envelope of loss against compute over sizes, approach 2 the minima of loss against size at
# fixed compute, approach 3 the fit. The first needs to know which runs belong together, here those of one size. All
# see the same resampled runs. (Approach 1 was meant for curves of one run each; final losses of several runs, as
# here, are free of its worst fault, losses in the middle of a schedule.)

# %%
size = np.exp(np.round(np.log(runs["params"]), 3))  # sizes that were read off differ in their seventh digit
name = np.array([f"{one / 1e6:.0f}M" for one in size], dtype=object)
by_size = js.Runs.from_arrays(params=size, flops=runs["flops"], loss=runs.loss, group=name)
asked = {"flops": 5.76e23, "tolerance": 0.1, "replicates": replicates // 10}
resampled = {"sizes": agreement(by_size, **asked), "runs": agreement(runs, **asked)}
lines = {}
for what, agreed in resampled.items():
    for one in agreed.approaches:
        band = js.band(one.ensemble.params.exponent, level=0.95)
        lines[one.name, what] = {"a": float(one.point.params.exponent), "low": band.lower, "high": band.upper}
pd.DataFrame(lines).T.rename_axis(index=["approach", "resampled"]).astype(float)

# %% [markdown]
# N* grows as C^a. The paper reports 0.50, 0.49 and 0.46 for its three approaches. At the true minimum the third gives
# half, too, and every other lies inside its band. How N* at Chinchilla's compute compares, as a ratio with its band:

# %%
ratios = {}
for what, agreed in resampled.items():
    for one in agreed.differences():
        band = one.params_band
        ratios[f"{one.first} / {one.second}", what] = {"N*": one.params[0], "low": band.lower[0], "high": band.upper[0]}
pd.DataFrame(ratios).T.rename_axis(index=["approaches", "resampled"])

# %% [markdown]
# Resampled by run, approach 1 has no curves, and is absent:

# %%
resampled["runs"].absent
