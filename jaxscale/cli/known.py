"""Types of values that a shell can complete: names of what is registered, and tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import click
from click.shell_completion import CompletionItem

from jaxscale.names import DATASETS
from jaxscale.registry import nearest
from jaxscale.text import shown

NOT_ONE = "{text} is none of {known}.{close}"
EMPTY_NAME = "'{text}' has an empty name; write them like E,A,B"
GIVEN_TWICE = "'{name}' is given twice"
Known = Callable[[click.Context], Iterable[str]]


class Name(click.ParamType):
    """A name, completed from those that are known; its registry refuses another, with the nearest."""

    name = "name"

    def __init__(self, known: Iterable[str] | Known = ()) -> None:
        self._known = known

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Return the names that begin so."""
        known = self._known(ctx) if callable(self._known) else self._known
        return [CompletionItem(name) for name in known if name.startswith(incomplete)]


class Names(Name):
    """Names separated by commas, each once."""

    name = "name,…"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """Return the names in the order given."""
        if isinstance(value, tuple):
            return value
        names = [part.strip() for part in str(value).split(",")]
        for name in names:
            if not name:
                self.fail(EMPTY_NAME.format(text=value), param, ctx)
            if names.count(name) > 1:
                self.fail(GIVEN_TWICE.format(name=name), param, ctx)
        return tuple(names)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Return the list with each name that may be its last."""
        before, comma, last = incomplete.rpartition(",")
        items = super().shell_complete(ctx, param, last)
        return [CompletionItem(f"{before}{comma}{one.value}") for one in items if one.value not in before.split(",")]


class OneOf(click.Choice[str]):
    """One of a few words, refused with the nearest."""

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the word."""
        known = [str(one) for one in self.choices]
        if value not in known:
            near = nearest(str(value), known)
            close = f" Did you mean {near}?" if near else ""
            self.fail(NOT_ONE.format(text=shown(str(value)), known=", ".join(known), close=close), param, ctx)
        return str(value)


class TableName(click.ParamType):
    """A table: a file, - for standard input, or a data set by its name."""

    name = "table"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Return the data sets that begin so; the shell adds files."""
        sets = [CompletionItem(name) for name in DATASETS if incomplete and name.startswith(incomplete)]
        return [*sets, CompletionItem(incomplete, type="file")]


def laws_known(ctx: click.Context) -> Iterable[str]:
    """Return the names of all laws and their aliases."""
    from jaxscale.reports import shipped

    index = shipped()
    return (*index.names, *index.aliases)


def constants_known(ctx: click.Context) -> Iterable[str]:
    """Return the names of the published sets of the law that is typed, or of the default one."""
    from jaxscale.reports import shipped

    index, name = shipped(), str(ctx.params.get("law"))
    known = (*index.names, *index.aliases)
    return [one["name"] for one in index.find(name if name in known else "chinchilla")["published"]]
