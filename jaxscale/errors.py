"""The exceptions a caller may catch; each knows the exit code the command line gives it."""

from __future__ import annotations

from collections.abc import Sequence

from jaxscale.speaking import spoken


class JaxscaleError(Exception):
    """Anything jaxscale refuses: what was found, where, and what to do, in one to three lines.

    Attributes
    ----------
    exit_code
        That of the command line for this refusal: 1 here, and a number of its own in every subclass.
    """

    exit_code = 1

    def __str__(self) -> str:
        return spoken(super().__str__())


class UsageError(JaxscaleError, ValueError):
    """An invalid argument: an unknown name, a level of 95, a negative budget."""

    exit_code = 2


class IntervalError(UsageError):
    """An interval that is not defined for one quantity, as for a coef at a bound; the message says why."""


class RunsError(JaxscaleError, ValueError):
    """A table of runs that cannot be read or fitted; the message names file, row, column and value.

    Attributes
    ----------
    missing
        The columns that the table was asked for and lacks.
    """

    exit_code = 3

    def __init__(self, *words: object, missing: Sequence[str] = ()) -> None:
        super().__init__(*words)
        self.missing = tuple(missing)


class MissingDependencyError(JaxscaleError, ImportError):
    """A device or an optional dependency that is not there; the message says how to get it."""

    exit_code = 5


class StoreError(JaxscaleError, ValueError):
    """A saved result that is corrupt, incompatible, or would be overwritten."""

    exit_code = 6
