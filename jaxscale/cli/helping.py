"""The classes of commands: help under headings, and the words for what a command line lacks or has too much of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from inspect import cleandoc
from typing import Any

import click

from jaxscale.cli.headings import COMMANDS, OPTIONS, OTHER
from jaxscale.registry import nearest
from jaxscale.text import shown

TOO_MANY = "unexpected {words}: jaxscale {command} takes {arguments}"
NO_COMMAND = "unknown command {name}.{close} Known: {known}."
HELD = "\u2011"
"""A hyphen at which no line is broken, so that a value or an option stays whole."""


class HelpPage(click.HelpFormatter):
    """A page of help on which no word is cut in two."""

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        """Write names beside their meanings."""
        super().write_dl([(name, _held(text.replace("  [", " ["))) for name, text in rows], col_max, col_spacing)

    def write_text(self, text: str) -> None:
        """Write paragraphs."""
        super().write_text(_held(text))

    def getvalue(self) -> str:
        """Return the page."""
        return super().getvalue().replace(HELD, "-")


class Context(click.Context):
    """A context whose help is a `HelpPage`."""

    formatter_class = HelpPage


class Command(click.Command):
    """A command whose options stand under headings."""

    context_class = Context
    allow_extra_args = True

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse a command line; refuse arguments that the command does not take."""
        try:
            rest = super().parse_args(ctx, args)
        except click.UsageError as error:  # the parser does not always say of which command
            error.ctx = error.ctx or ctx
            raise
        if ctx.args and not ctx.resilient_parsing:
            taken = " ".join(one.make_metavar(ctx) for one in self.params if isinstance(one, click.Argument))
            words = ", ".join(map(shown, ctx.args))
            told = {"words": words, "command": self.name, "arguments": taken or "no arguments"}
            raise click.UsageError(TOO_MANY.format(**told), ctx)
        return rest

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options under their headings, those of this command alone first."""
        records: dict[str, list[tuple[str, str]]] = {heading: [] for heading in (OTHER, *OPTIONS)}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx) if isinstance(parameter, click.Option) else None
            if record is not None:
                records[_heading_of(parameter.opts)].append(record)
        _write(formatter, records.items())


class Group(click.Group):
    """A group whose commands stand under headings, each with the whole of its first sentence."""

    context_class = Context

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands under their headings."""
        _write(formatter, [(heading, [(name, _sentence(self.commands[name])) for name in those])
                           for heading, those in COMMANDS.items()])  # fmt: skip

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:  # noqa: ANN401 - click's own
        """Return the command of the first word; refuse one that is not there, with the nearest."""
        if args and not ctx.resilient_parsing and self.get_command(ctx, args[0]) is None and args[0][:1] != "-":
            near = nearest(args[0], tuple(self.commands))
            told = {"close": f" Did you mean {near}?" if near else "", "known": ", ".join(self.commands)}
            raise click.UsageError(NO_COMMAND.format(name=shown(args[0]), **told), ctx)
        return super().resolve_command(ctx, args)


command: Callable[..., Any] = partial(click.command, cls=Command)
"""`click.command` of a `Command`."""


def _write(formatter: click.HelpFormatter, sections: Iterable[tuple[str, list[tuple[str, str]]]]) -> None:
    for heading, rows in sections:
        if rows:
            with formatter.section(heading):
                formatter.write_dl(rows)


def _heading_of(names: Sequence[str]) -> str:
    return next((heading for heading, those in OPTIONS.items() if names[-1] in those), OTHER)


def _sentence(one: click.Command) -> str:
    return " ".join(cleandoc(one.help or "").split("\n\n")[0].split())


def _held(text: str) -> str:
    return text.replace("-", HELD)
