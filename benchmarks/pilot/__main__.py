"""The commands of `python -m benchmarks.pilot`, in the order in which the study is made."""

from __future__ import annotations

import click

from benchmarks.pilot import ledger, plan

workers = click.option(
    "--workers", default=2, show_default=True, type=click.IntRange(1), help="Runs at once, each on a core."
)
ALREADY_MADE = "{count} of the runs that would be predicted have been made: a prediction comes first, or not at all"
NOT_PREDICTED = "the prediction comes first: python -m benchmarks.pilot predict, and commit it"


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, invoke_without_command=True)
@click.option("--smoke", is_flag=True, help="Train three small runs again and compare with their committed losses.")
@click.pass_context
def main(context: click.Context, smoke: bool) -> None:
    """Train very small language models, fit them, predict larger ones, and check."""
    if smoke:
        from benchmarks.pilot.smoke import again

        context.exit(0 if again() else 1)
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@main.command()
@workers
def tune(workers: int) -> None:
    """Try learning rates and batches."""
    from benchmarks.pilot.making import make

    make(plan.tuning(), stage="tune", workers=workers)


@main.command()
@workers
def fit(workers: int) -> None:
    """Train the runs that are fitted, with the settings that tuning came to."""
    from benchmarks.pilot.making import make

    make(plan.fitting(_rule()), stage="fit", workers=workers)


@main.command()
def predict() -> None:
    """Fit those runs, and write down what larger ones will come to."""
    from benchmarks.pilot import records
    from benchmarks.pilot.forecast import forecast, runs_of

    rows = ledger.read(ledger.FOLDER / "fit.csv")
    if not rows:
        raise click.ClickException(ledger.NOTHING_FITTED)
    made = ledger.read(ledger.FOLDER / "held-back.csv")
    if made:
        raise click.ClickException(ALREADY_MADE.format(count=len(made)))
    asked = {ledger.name_of(one, budget): (budget, one) for budget, one in plan.holding_back(_rule())}
    found = forecast(runs_of(rows), {name: one for name, (_, one) in asked.items()}, plan.HELD_BACK)
    records.write(records.PREDICTION, records.prediction_of(found, asked, [row["commit"] for row in rows]))
    click.echo(f"written to {records.PREDICTION}", err=True)


@main.command("hold-back")
@workers
def hold_back(workers: int) -> None:
    """Train the runs that were predicted."""
    from benchmarks.pilot import records
    from benchmarks.pilot.making import make

    if records.read(records.PREDICTION) is None:
        raise click.ClickException(NOT_PREDICTED)
    make(plan.holding_back(_rule()), stage="held-back", workers=workers)


@main.command()
def ship() -> None:
    """Write what has been measured as the table that ships with the package."""
    from benchmarks.pilot import shipping

    shipping.TABLE.write_text(shipping.table(shipping.measured()), encoding="utf-8")
    click.echo(f"written to {shipping.TABLE}", err=True)


@main.command()
def diagnose() -> None:
    """Ask the fitted runs what they say against the law, and other laws what they predict."""
    from benchmarks.pilot import diagnosing, records

    rows, prediction = ledger.read(ledger.FOLDER / "fit.csv"), records.read(records.PREDICTION)
    if prediction is None:
        raise click.ClickException(NOT_PREDICTED)
    held_back = ledger.read(ledger.FOLDER / "held-back.csv")
    records.write(diagnosing.DIAGNOSTICS, diagnosing.diagnose(rows, prediction["runs"], held_back))
    click.echo(f"written to {diagnosing.DIAGNOSTICS}", err=True)


@main.command()
def revisit() -> None:
    """Ask the package of today what it says of the fitted runs, and whether its bands hold the others."""
    from benchmarks.pilot import records, revisiting

    rows, held_back = (ledger.read(ledger.FOLDER / f"{stage}.csv") for stage in ("fit", "held-back"))
    if not rows or not held_back:
        raise click.ClickException(ledger.NOTHING_FITTED)
    records.write(revisiting.REVISITED, revisiting.revisit(rows, held_back))
    click.echo(f"written to {revisiting.REVISITED}", err=True)


@main.command()
def compare() -> None:
    """Ask the three approaches for the best size, of all runs that are there."""
    from benchmarks.pilot import approaching, records, shipping

    rows, curves = shipping.measured(), ledger.read(ledger.FOLDER / "curves.csv")
    if not rows:
        raise click.ClickException(ledger.NOTHING_FITTED)
    records.write(approaching.APPROACHES, approaching.compare(rows, curves, plan.HELD_BACK))
    click.echo(f"written to {approaching.APPROACHES}", err=True)


@main.command()
def show() -> None:
    """Print what has been measured and predicted so far."""
    from benchmarks.pilot.pages import everything
    from benchmarks.sheets import show as print_sheets

    print_sheets(everything())


@main.command()
def page() -> None:
    """Write the tables of the pilot's README again, from the rows and what the other commands wrote."""
    from benchmarks.pilot import pages

    pages.README.write_text(pages.filled(pages.README.read_text(encoding="utf-8")), encoding="utf-8")
    click.echo(f"written to {pages.README}", err=True)


def _rule() -> plan.Rule:
    return plan.rule_of(ledger.read(ledger.FOLDER / "tune.csv"))


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.pilot")
