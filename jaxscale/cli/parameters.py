"""Types of option values: budgets, levels, seeds and name=value pairs, refused by the item that is wrong."""

from __future__ import annotations

import math
import secrets
from collections.abc import Sequence

import click

from jaxscale.cli.known import GIVEN_TWICE
from jaxscale.errors import UsageError
from jaxscale.text import decimal_in, number_in, numbers_in

NOT_A_NUMBER = "item {place}, '{item}', is not a number of FLOP; write them like 1e21,5.76e23: {why}"
NOT_POSITIVE = "item {place}, '{item}', is not a positive, finite number of FLOP"
NO_AMOUNT = "'{value}' is not a positive, finite number"
NOT_WHOLE = "'{text}' is not a whole number from {least} up"
NO_NUMBER = "'{text}' is not a finite number{ends}"
NOT_A_SHARE = "'{text}' is not of the form K/N, one of N shares, as 3/16"
NOT_FINITE = "item {place}, '{item}', is not a finite number; write them like 2.5,2.4"
LEVEL_NOT_A_NUMBER = "'{text}' is not a number between 0 and 1"
LEVEL_OUTSIDE = "{text} is not between 0 and 1{hint}"
PERCENT_HINT = "; for {percent:g} % write {share:g}"
SEED_OUTSIDE = "'{text}' is neither a whole number from 0 to 4294967295 nor 'random'"
NOT_A_PAIR = "'{text}' is not of the form {form}"
PAIR_NOT_A_NUMBER = "'{text}': '{value}' is not a finite number"
NOT_CELLS = "'{text}' is not of the form params,tokens@1/3: columns, and the width of a cell in decades"
SYMBOLS = {"N": "params", "D": "tokens", "C": "flops", "D/N": "tokens_per_param"}
"""What sizes are called in equations and tables."""


class Budgets(click.ParamType):
    """Positive numbers of FLOP, separated by commas, each with its unit where it is another."""

    name = "flop,…"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, ...]:
        """Return the budgets in the order given."""
        if isinstance(value, tuple):
            return value
        budgets = []
        for place, item in enumerate((part.strip() for part in str(value).split(",")), start=1):
            for found in numbers_in(item) if ":" in item else [decimal_in(item)]:
                number = self._with_unit(place, item, param, ctx) if found is None else found
                if not (math.isfinite(number) and number > 0.0):
                    self.fail(NOT_POSITIVE.format(place=place, item=item), param, ctx)
                budgets.append(number)
        return tuple(budgets)

    def _with_unit(self, place: int, item: str, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the FLOP of PF-days or of a machine's hours."""
        from jaxscale.counting import flops_of

        try:
            return flops_of(item)
        except UsageError as error:
            self.fail(NOT_A_NUMBER.format(place=place, item=item, why=error), param, ctx)


class Amount(click.ParamType):
    """A positive number, finite unless infinity means something."""

    name = "number"

    def __init__(self, *, may_be_infinite: bool = False) -> None:
        self.may_be_infinite = may_be_infinite

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number."""
        found = number_in(str(value))
        if found is None or not (found > 0.0 and (self.may_be_infinite or math.isfinite(found))):
            self.fail(NO_AMOUNT.format(value=value), param, ctx)
        return found


class Whole(click.ParamType):
    """A whole number from a least one up, also written as 5e6 or 5M."""

    name = "integer"

    def __init__(self, least: int = 0) -> None:
        self.least = least

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number."""
        text = str(value)
        number = float(int(text)) if text.isdecimal() and text.isascii() else number_in(text)
        if number is None or not (math.isfinite(number) and number % 1 == 0 and number >= self.least):
            self.fail(NOT_WHOLE.format(text=text[:40], least=self.least), param, ctx)
        return int(text) if text.isdecimal() else int(number)


class Number(click.ParamType):
    """A finite number, from a least one to a greatest one."""

    name = "number"

    def __init__(self, least: float = -math.inf, greatest: float = math.inf) -> None:
        self.least, self.greatest = least, greatest

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number."""
        number = number_in(str(value))
        if number is None or not (math.isfinite(number) and self.least <= number <= self.greatest):
            limits = (("from", self.least), ("to", self.greatest))
            ends = (f" {word} {end:g}" for word, end in limits if math.isfinite(end))
            self.fail(NO_NUMBER.format(text=str(value)[:40], ends="".join(ends)), param, ctx)
        return number


class PartOf(click.ParamType):
    """One of several equal shares, as 3/16."""

    name = "k/n"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """Return which share, and of how many."""
        if isinstance(value, tuple):
            return value
        first, _, second = str(value).partition("/")
        if not (first.isdecimal() and second.isdecimal() and 1 <= int(first) <= int(second)):
            self.fail(NOT_A_SHARE.format(text=value), param, ctx)
        return int(first), int(second)


class NumberList(click.ParamType):
    """Finite numbers, separated by commas."""

    name = "number,…"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, ...]:
        """Return the numbers in the order given."""
        if isinstance(value, tuple):
            return value
        found = []
        for place, item in enumerate((part.strip() for part in str(value).split(",")), start=1):
            for number in numbers_in(item):
                if number is None or not math.isfinite(number):
                    self.fail(NOT_FINITE.format(place=place, item=item), param, ctx)
                found.append(number)
        return tuple(found)


class GridCells(click.ParamType):
    """Columns separated by commas, and after an @ the width of a cell in decades, a number or a fraction."""

    name = "column,…@width"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> dict[str, float]:
        """Return column → width."""
        if isinstance(value, dict):
            return value
        text, _, width = str(value).rpartition("@")
        parts = [number_in(part.strip()) for part in width.split("/")]
        names = [part.strip() for part in text.split(",")]
        is_read = len(parts) in (1, 2) and all(part is not None and 0 < part < math.inf for part in parts)
        if not (is_read and all(names)):
            self.fail(NOT_CELLS.format(text=value), param, ctx)
        for name in names:
            if names.count(name) > 1:
                self.fail(GIVEN_TWICE.format(name=name), param, ctx)
        over, under = (*(part for part in parts if part is not None), 1.0)[:2]
        return dict.fromkeys(names, over / under)


class Level(click.ParamType):
    """A share between 0 and 1; 95 is refused with a hint."""

    name = "share"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the share."""
        number = number_in(str(value).rstrip("%").strip())
        if number is None:
            self.fail(LEVEL_NOT_A_NUMBER.format(text=value), param, ctx)
        if str(value).strip().endswith("%") or not 0.0 < number < 1.0:
            hint = PERCENT_HINT.format(percent=number, share=number / 100.0) if 0.0 < number < 100.0 else ""
            self.fail(LEVEL_OUTSIDE.format(text=value, hint=hint), param, ctx)
        return number


class Seed(click.ParamType):
    """A seed, or the word `random` for one that is drawn now; the report prints it either way."""

    name = "integer"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the seed."""
        if value == "random":
            return secrets.randbelow(2**32)
        text = str(value)
        if not (text.isascii() and text.isdigit() and int(text) < 2**32):
            self.fail(SEED_OUTSIDE.format(text=text[:40]), param, ctx)
        return int(text)


class Pair(click.ParamType):
    """name=value, both sides not empty; the value may hold further equals signs."""

    def __init__(self, form: str) -> None:
        self.name = form

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Return name and value, both without spaces around them."""
        if isinstance(value, tuple):
            return value[0], value[1]
        name, equals, rest = (part.strip() for part in str(value).partition("="))
        if not (name and equals and rest):
            self.fail(NOT_A_PAIR.format(text=value, form=self.name), param, ctx)
        return name, rest


def text_pairs(context: click.Context, parameter: click.Parameter, pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return pairs as a dict; refuse a name that is given twice."""
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in found:
            raise click.BadParameter(GIVEN_TWICE.format(name=name), context, parameter)
        found[name] = value
    return found


def input_lists(
    context: click.Context, parameter: click.Parameter, pairs: Sequence[tuple[str, str]]
) -> dict[str, tuple[float, ...]]:
    """Return `number_lists` of inputs of a law, of which sizes may be called by their printed symbols, as N=7B."""
    return number_lists(context, parameter, _by_name(pairs))


def input_pairs(
    context: click.Context, parameter: click.Parameter, pairs: Sequence[tuple[str, str]]
) -> dict[str, float]:
    """Return `number_pairs` of inputs of a law, of which sizes may be called by their printed symbols."""
    return number_pairs(context, parameter, _by_name(pairs))


def _by_name(pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(SYMBOLS.get(name, name), value) for name, value in pairs]


def number_lists(
    context: click.Context, parameter: click.Parameter, pairs: Sequence[tuple[str, str]]
) -> dict[str, tuple[float, ...]]:
    """Return pairs as a dict of lists, separated by commas; refuse what is no finite number, and a name given twice."""
    found = {}
    for name, value in text_pairs(context, parameter, pairs).items():
        listed = numbers_in(value)
        if not all(number is not None and math.isfinite(number) for number in listed):
            message = PAIR_NOT_A_NUMBER.format(text=f"{name}={value}", value=value)
            raise click.BadParameter(message, context, parameter)
        found[name] = tuple(number for number in listed if number is not None)
    return found


def number_pairs(
    context: click.Context, parameter: click.Parameter, pairs: Sequence[tuple[str, str]]
) -> dict[str, float]:
    """Return pairs as a dict of finite numbers; refuse anything else, and a name that is given twice."""
    found = {}
    for name, value in text_pairs(context, parameter, pairs).items():
        number = number_in(value)
        if number is None or not math.isfinite(number):
            message = PAIR_NOT_A_NUMBER.format(text=f"{name}={value}", value=value)
            raise click.BadParameter(message, context, parameter)
        found[name] = number
    return found


def numbers_or_names(
    context: click.Context, parameter: click.Parameter, pairs: Sequence[tuple[str, str]]
) -> dict[str, float | str]:
    """Return pairs as `number_pairs` does, but for a value that is a bare word: only a law can say what that is."""
    is_word = {name: value.isidentifier() and number_in(value) is None for name, value in pairs}
    found = text_pairs(context, parameter, pairs)
    read = number_pairs(context, parameter, [(name, value) for name, value in found.items() if not is_word[name]])
    return {name: read.get(name, value) for name, value in found.items()}
