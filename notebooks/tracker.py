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
# # From a tracker's export to a report
#
# Runs of a sweep stand in a tracker, one row each, under its own names: `config.` before what was set, `summary.`
# before what came out, and a state. They are read as they are, fitted, compared under two laws, turned into a plan, and
# laid down as one page. The runs are those of the pilot that ships; put your own export in place of the cell that makes
# it.

# %%
# %matplotlib inline
import polars as pl

import jaxscale as js

# %% tags=["parameters"]
replicates = 1000
budget = 1e15  # FLOP of the run to be planned

# %%
pilot = pl.from_pandas(js.datasets.load("pilot").to_frame())
export = pilot.select(
    pl.col("run").alias("Name"),
    pl.lit("finished").alias("State"),
    pl.col("params").cast(pl.Int64).alias("config.n_params"),
    pl.col("learning_rate").alias("config.lr"),
    pl.col("tokens").alias("summary.tokens"),
    pl.col("loss").alias("summary.eval/loss"),
)
export.head()

# %%
runs = js.Runs.from_frame(export)  # names are recognised behind a tracker's prefixes
runs.origin.columns

# %% [markdown]
# What is weak in the table is said before anything is fitted.

# %%
for finding in runs.check():
    print(finding)

# %%
study = js.study(runs, "chinchilla", replicates=replicates, budgets=[1e13, budget])
study

# %%
js.plot(study, "frontier")

# %%
js.plot(study, "coefs")

# %% [markdown]
# Is another law nearer to the runs that it has not seen? Each is fitted to the runs of little compute and judged on the
# rest.

# %%
compared = js.compare(runs, ["chinchilla", "kaplan"], cuts=2, replicates=50)
compared

# %% [markdown]
# The plan of the budget: the optimum of the point fit, with the middle 95 % of the replicates.

# %%
plan = js.plan(study, flops=budget)
print(plan.summary())

# %%
at = {"params": float(plan.point.params), "tokens": float(plan.point.tokens)}
js.predict(study, **at)

# %%
page = js.report(study, "study.html")
print(f"{page.name}: {page.stat().st_size / 1e6:.1f} MB")
