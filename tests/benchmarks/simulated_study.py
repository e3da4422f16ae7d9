"""Rows of a pilot study that nobody made, from a law that is known."""

from benchmarks.pilot import ledger, plan
from benchmarks.pilot.training import Ended

RULE = plan.Rule(16, (-2.5, -0.2, -0.1))


def rows_of(law, runs, stage="fit"):
    return [
        ledger.row_of(made, Ended(law(made), (), 1.0), stage=stage, budget=budget, device="cpu", commit="x")
        for budget, made in runs
    ]


def true_loss(made):
    return 1.0 + 40.0 * made.shape.params**-0.4 + 90.0 * made.tokens**-0.35
