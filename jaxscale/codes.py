"""Every code of a warning or finding: what it says, and what to do.

A code is stable: programs may match it in `--json` documents and in `Finding.code`. The page docs/warnings.md is
written from this table by `jaxscale laws --warnings`.
"""

from __future__ import annotations

from typing import NamedTuple

TEXT = """
absent-numbers | approaches and predictions | null in a document stands for a number that does not exist.
  > Read the reasons.
always-reached | frontier and plan | Every amount of the input reaches the loss asked for.
  > Ask for a lower loss.
at-bound | fit | A coef lies at the edge of its support; its interval is one-sided.
  > Read no standard error; add runs, or take the law without it.
bent-envelope | approaches and predictions | The lowest runs do not follow one power law of compute.
  > Do not extrapolate their line.
budgets-left-out | approaches and predictions | Some budgets have too few sizes, no minimum, or one at their edge.
  > Add sizes there.
cold-start | check | A series has been flat, and has only begun to fall.
  > Add runs of more compute before extrapolating.
collinear-design | fit | In all runs one input follows from others, so that coefs cannot be told apart.
  > Add runs off that line; the loss along it is identified.
collinear-group | fit | The same within one group.
  > Give fewer coefs of their own, or add runs to the group.
column-explains | diagnosis | A column that the law does not take explains its residuals.
  > Hold it in new runs, or fit a law that takes it.
decision-open | diagnosis | The runs do not determine a quantity of the answer at the target: 95 % limits beyond a
  factor of 3, of the loss beyond 10 %.
  > Add runs of larger compute and other tokens per param: jaxscale design.
duplicate-runs | table | Rows repeat an earlier row.
  > Delete them.
envelope-edges | approaches and predictions | At some budgets the lowest curve is that of the smallest or largest
  size.
  > Add sizes beyond.
epochs-multiplied | table | Tokens were taken as the data set's size times its epochs.
  > Name the column of tokens with --map if it is another.
errors-as-weight | table | A column of errors is used as a weight, which does the opposite.
  > Use --map sigma=COLUMN.
errors-twice | table | Errors of the loss enter as weight and as sigma.
  > Keep sigma.
errors-unused | table | A column holds errors of the loss that no role uses.
  > Use --map sigma=COLUMN.
extrapolation | frontier and plan | Budgets or sizes lie ten times or more beyond the runs.
  > Ask nearer to the runs, or add larger ones.
few-replicates | replicates | Fewer than five replicates lie beyond each limit of an interval.
  > Ask for more replicates.
few-rows | fit | Fewer rows than three for each coef.
  > Add runs, hold a coef, or take a law with fewer.
few-rows-in-group | fit | A group has few rows for its own coefs.
  > Give fewer coefs of their own.
few-starts-agree | fit | Fewer than a tenth of the starts reached the minimum.
  > Give starts, or another objective.
flat-direction | fit | The objective does not bend along a direction of the coefs.
  > Hold one of them, or add runs.
floor-carries | diagnosis | With E a standard error higher the best params move by more than 30 %.
  > Add larger runs, which fix the floor.
flops-mismatch | table | The column of compute differs from 6 N D by more than a fifth.
  > Decide by which convention params and compute are counted: --count.
group-sizes-vary | replicates | A scheme draws single rows although groups have coefs of their own.
  > Know that a group's share of the runs varies.
groups-unused | replicates | The table has groups, and the scheme draws single rows.
  > Use --scheme cluster.
headers-cleaned | table | Spaces or marks were taken off headers.
  > Nothing.
heavy-tails | fit | Residuals of least squares have heavier tails than normal errors.
  > Use --objective huber or student-t.
heteroscedastic | fit | The size of the residuals depends on that of the runs.
  > Give sigma, or use --scheme pairs, or cluster for groups.
influential-runs | diagnosis | A few runs move the answer by more than a standard error, and twice what chance does.
  > Look at how they were made, or plan with and without them.
intervals-unreliable | replicates | More than a tenth of the replicates failed.
  > Treat the intervals as too narrow; see the reasons.
isoflop-bias | approaches and predictions | A parabola's minimum is biased on these budgets.
  > Prefer the law's own frontier.
kinked-law | fit | A typed law has a function whose slope jumps, such as abs or minimum.
  > Write it with a smooth one, such as logaddexp.
label-explains | fit | A column of text tells the residuals apart.
  > Use --group with --per-group.
large-integers | table | Integers beyond 2^53 were kept to 16 digits.
  > Nothing.
loss-in-bits | table | The loss is in bits by its name.
  > Multiply by ln 2 with --map for nats.
lower-at-end | frontier and plan | The law promises less loss still at one param or one token.
  > Do not trust it there; add runs of other tokens per param.
minima-disagree | diagnosis | Another minimum that the errors leave open recommends another size.
  > Plan with both; add runs that tell them apart.
minimum-of-noise | approaches and predictions | The lowest of several noisy curves is low by chance.
  > Prefer the law.
narrow-delta | fit | The threshold of rho lies far below the residuals.
  > Use a larger --delta, or --objective squared.
nearly-collinear | fit | Two inputs vary together.
  > Add runs in which one is large and the other small.
no-bands | replicates | Nothing has an interval, for the reason given.
  > Bootstrap, or mend the fit.
no-frontier | frontier and plan | There is no frontier, for the reason given.
  > Give what is missing (--at), or another law.
no-interval | replicates | The interval that was asked for does not exist for some quantities.
  > Use --interval percentile.
no-plan | frontier and plan | There is no plan, for the reason given.
  > Mend the fit, or loosen the limits.
no-split | frontier and plan | The law knows compute alone.
  > Take a law of params and tokens.
no-value | fit | At this bound a coef has no value: any other predicts the same.
  > Do not read it.
nonpositive-loss | table | A loss is zero or negative.
  > Use --space linear, or correct it.
not-a-share | approaches and predictions | A prediction of a share lies outside 0 … 1.
  > Ask nearer to the runs.
not-converged | fit | The fit is no minimum.
  > Use the starts, the objective or the table as the message says.
not-extrapolated | check | A series scales, and is not to be extrapolated.
  > Add runs beyond the break, or of more compute.
not-finite | approaches and predictions | A prediction is not finite.
  > Ask for sizes inside the law's range.
not-identified | approaches and predictions | The runs do not identify the coefs that a prediction needs.
  > Take the reduced law, or add runs.
not-predicted | approaches and predictions | There is nothing to predict from this fit.
  > Mend what its warnings say.
not-reached | frontier and plan | No amount of the input reaches the loss asked for.
  > Ask for a higher loss.
not-split | fit | At this bound several coefs are one constant.
  > Read their sum or product.
numeric-text | table | A column of text holds numbers throughout.
  > Nothing; it is read as numbers.
one-group | fit | All rows are of one group.
  > Leave --per-group out.
optimum-at-end | frontier and plan | At some budgets the law has no optimum inside.
  > Add runs of other tokens per param.
outlier-leverage | diagnosis | Rows lie farther off than the errors of the others, or of their neighbours, explain.
  > Look how they were logged; leave them out with the --where that is given.
overlapping-rows | table | Rows of a restart are logged twice.
  > Keep the later ones.
part-not-finite | fit | A part of a typed law is not finite at its start.
  > Give other starts.
part-remade | replicates | A file of a large study was missing or not what was saved, and was made again.
  > Look after the disk.
parts-missing | replicates | Not all parts of a large study are there; bands are those of the parts that are.
  > Have jaxscale bootstrap make them, or merge the folders in which they were made.
parts-retried | replicates | Workers were lost, and their parts were submitted again.
  > Look into the workers' memory and their logs.
phase-undetermined | check | The loss of a series does not fall by more than its noise.
  > Add runs over a wider range.
pilot-runs | table | The table is the pilot that ships.
  > Name a table of your own.
plateau | check | The local exponent of a series has fallen to next to nothing.
  > Do not buy more of that input; look for what limits it.
point-interval | replicates | All replicates have the same coef, to rounding.
  > Do not read its interval: these runs show no errors.
price-extrapolated | approaches and predictions | A price is used beyond the budgets that fix it.
  > Ask nearer to the runs.
rank-deficient | fit | The runs leave directions of the coefs without effect, which are named.
  > Hold a coef of each (--fix), or add runs.
repeated-seeds | table | Rows share their sizes and differ in loss.
  > Resample them together, as the message says.
replicates-at-bound | replicates | Replicates end at the edge of a coef's support.
  > Read the interval as one-sided there.
replicates-failed | replicates | Some replicates are not usable.
  > See the reasons and what the interval would be with them.
replicates-lower-at-end | replicates | Some replicates promise less loss at one param or one token.
  > As for lower-at-end.
replicates-not-reached | replicates | Some replicates never reach the loss.
  > Read the band as open above.
replicates-without-optimum | replicates | Some replicates have no optimum at a budget.
  > Know that no band holds them; add runs.
replicates-without-value | replicates | In some replicates a coef has no value.
  > Know that its interval leaves them out.
residual-trend | diagnosis | The residuals still bend with a size, enough to move the loss at the target out of the band
  of a new run.
  > Compare laws: jaxscale compare.
rows-dropped | table | Rows without a number were left out.
  > Nothing, if that was meant.
run-correlation | diagnosis | The residuals of one group are alike; the message says how much wider standard errors by
  groups are.
  > Use --scheme cluster.
schedule-mismatch | approaches and predictions | The lowest curve is that of a run whose schedule was longer.
  > Use runs that end at the budget.
several-minima | fit | Starts reached other minima.
  > See what they recommend: fit --diagnose.
shadowed-column | table | A column has the name of a role that another column plays.
  > Check the roles.
simulated-data | table | The runs are simulated.
  > Say so wherever their numbers appear.
target-suspect | table | The target is no loss in nats per token by its numbers or its name.
  > Use the --map that is given, or --units-ok.
trajectory-rows | table | Rows are checkpoints of runs, and not independent.
  > Use --final, or --scheme cluster.
two-values | fit | An input takes two values, where three coefs need three.
  > Add runs at another, or hold a coef.
unannealed-runs | table | Some runs end before their learning rate has come down, others after.
  > Use --annealed in place of --final.
unfinished-runs | table | A column of states says that runs crashed, failed or are still running.
  > Leave them out with the --where that is named.
units-suspect | table | A column cannot be in the units it is taken for.
  > Use the --scale that is given, or --units-ok.
weak-direction | diagnosis | The coefs are free along a direction, by more than a factor of e.
  > Read the answer, not the coefs; add runs.
"""
"""Lines of "code | what gives it | what it says", each followed by "> what to do"; in the order of the alphabet."""
PAGE = """# Warnings

Every code of a warning, as `warnings` in JSON documents and `Finding.code` in Python have it. Written by `jaxscale laws
--warnings` from [jaxscale/codes.py](../jaxscale/codes.py); do not edit it by hand. The message of a warning has the
particulars: which rows, how much, which option.

| Code | Of | What it says | What to do |
|---|---|---|---|
"""


class Code(NamedTuple):
    """One code: the part that gives it, what it says in general, and what to do."""

    name: str
    of: str
    meaning: str
    remedy: str


def warning_codes() -> tuple[Code, ...]:
    """Return every code, in the order of the alphabet."""
    entries: list[list[str]] = []
    for line in TEXT.strip().splitlines():
        if not line.startswith("  "):
            entries.append([line, ""])
        elif line.startswith("  > "):
            entries[-1][1] = line.removeprefix("  > ")
        else:
            entries[-1][entries[-1][1] != ""] += f" {line.strip()}"
    heads = [head.split(" | ") for head, _ in entries]
    return tuple(Code(name, of, said, entry[1]) for (name, of, said), entry in zip(heads, entries, strict=True))


def warnings_markdown() -> str:
    """Return the page of all codes."""
    return (
        PAGE
        + "\n".join(f"| `{one.name}` | {one.of} | {one.meaning} | {one.remedy} |" for one in warning_codes())
        + "\n"
    )
