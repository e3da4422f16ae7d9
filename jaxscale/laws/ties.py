"""Two coefs that are to be one: what `fix` cannot do, and the law that does it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from jaxscale import precision
from jaxscale.errors import UsageError
from jaxscale.laws.spec import Law

TIED = "fix {one}={other}: a coef is held at a number, as {one}=0.35, and {other} is a coef of '{law}'; {instead}"
USE_LAW = "the law with both as one coef is '{name}': --law {name} without this --fix"
WRITE_LAW = "no law that ships has both as one coef: write one with --law-expr, in which one name stands for both"
ITSELF = "every coef is equal to itself: leave it out"
NOT_A_NUMBER = "fix {name}={value!r}: '{value}' is not a finite number; the coefs of '{law}' are {known}"
TRIALS = 3


def check_no_ties(law: Law, fix: Mapping[str, object], *, known: Mapping[str, Law]) -> None:
    """Raise UsageError for a coef that is to be held at another coef's name, or at any other text.

    known: the laws that ship, by name, among which the one with both as one coef is looked for.
    """
    for name, value in fix.items():
        if not isinstance(value, str) or _is_number(value):
            continue
        if value not in law.names or name not in law.names:
            raise UsageError(NOT_A_NUMBER.format(name=name, value=value, law=law.name, known=", ".join(law.names)))
        tied = next((other for other in known.values() if ties(law, other, name, value)), None)
        instead = WRITE_LAW if tied is None else USE_LAW.format(name=tied.name)
        raise UsageError(TIED.format(one=name, other=value, law=law.name, instead=ITSELF if name == value else instead))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def ties(law: Law, other: Law, one: str, two: str) -> bool:
    """Return whether another law gives the loss of this one with two of its coefs equal, by its values at three places.

    Both take the same inputs and give the same quantity; the other has the coefs of this one but for one of the two.
    """
    kept = set(law.names) & set(other.names) & {one, two}
    if (
        (other.inputs, other.target) != (law.inputs, law.target)
        or len(kept) != 1
        or set(law.names) - {one, two} | kept != set(other.names)
    ):
        return False
    random = np.random.default_rng(0)
    with precision.float64():
        for _ in range(TRIALS):  # small numbers of every kind, so that no term is lost beside another
            columns = [np.exp(random.uniform(-1.0, 2.0, 5)) for _ in law.inputs]
            coefs = {name: float(random.uniform(0.2, 0.9)) for name in law.names}
            coefs[one] = coefs[two]
            here = np.asarray(law.loss(*columns, **coefs))
            there = np.asarray(other.loss(*columns, **{name: coefs[name] for name in other.names}))
            if not np.allclose(here, there, rtol=1e-9, equal_nan=True):
                return False
    return True
