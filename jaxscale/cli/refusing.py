"""What click refuses, in this package's words: unknown options, and values and arguments that are missing or wrong."""

from __future__ import annotations

from difflib import get_close_matches

import click

from jaxscale.text import listed, shown

UNKNOWN = "unknown option {name}.{close}"
MEANT = " Did you mean {near}?"
ELSEWHERE = " It is one of jaxscale {commands}."
MISSING = "jaxscale {command} needs {what}"
NEEDS_VALUE = "{option} needs a value: {option} {form}"
NO_VALUE = "{option} takes no value"
WRONG = "{what}: {message}"


def said(error: click.UsageError) -> str:
    """Return the message of a command line that click has refused, on one line."""
    if isinstance(error, click.NoSuchOption):
        return _unknown(error)
    if isinstance(error, click.BadOptionUsage):
        return _misused(error)
    if isinstance(error, click.MissingParameter) and error.param is not None:
        return MISSING.format(command=error.ctx.command.name if error.ctx else "", what=_form(error.param, error.ctx))
    if isinstance(error, click.BadParameter) and error.param is not None:
        return WRONG.format(what=_name(error.param, error.ctx), message=error.message)
    return error.format_message()


def _unknown(error: click.NoSuchOption) -> str:
    """Return what is near an option that is not there, or which commands have it."""
    context, name = error.ctx, error.option_name
    if context is None:
        return UNKNOWN.format(name=shown(name), close="")
    known = [one.lstrip("-") for one in _options(context.command)]
    near = get_close_matches(name.lstrip("-"), known, n=2) if name[:2] == "--" else []
    group = context.parent.command if context.parent is not None else context.command
    commands = group.commands if isinstance(group, click.Group) else {}
    others = [one for one, command in commands.items() if name in _options(command)]
    close = MEANT.format(near=" or ".join(f"'--{one}'" for one in near)) if near else ""
    if others and others != [context.command.name]:
        close = ELSEWHERE.format(commands=listed(others))
    return UNKNOWN.format(name=shown(name), close=close)


def _misused(error: click.BadOptionUsage) -> str:
    """Return what an option takes that has too few values, or one where it takes none."""
    params = error.ctx.command.params if error.ctx is not None else []
    option = next((one for one in params if error.option_name in one.opts and isinstance(one, click.Option)), None)
    if option is None or error.ctx is None:
        return error.format_message()
    if option.is_flag:
        return NO_VALUE.format(option=error.option_name)
    return NEEDS_VALUE.format(option=error.option_name, form=option.make_metavar(error.ctx))


def _options(command: click.Command) -> tuple[str, ...]:
    """Return the long options of a command."""
    return tuple(name for one in command.params for name in one.opts if name.startswith("--"))


def _name(parameter: click.Parameter, context: click.Context | None) -> str:
    return parameter.opts[-1] if isinstance(parameter, click.Option) else _form(parameter, context)


def _form(parameter: click.Parameter, context: click.Context | None) -> str:
    """Return what is typed of a parameter, as --candidates FILE or TABLE."""
    form = parameter.make_metavar(context or click.get_current_context())
    return f"{parameter.opts[-1]} {form}" if isinstance(parameter, click.Option) else form.strip("[]")
