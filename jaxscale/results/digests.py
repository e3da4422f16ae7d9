"""Names of computations: short digests of a table together with what was done with it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

import numpy as np

from jaxscale.results.fit import Fit
from jaxscale.results.study import Study
from jaxscale.runs import Runs
from jaxscale.text import Json


def digest_of(data_sha256: str, options: Mapping[str, Json]) -> str:
    """Return 8 hexadecimal characters that name this table together with these options, in any order of options.

    data_sha256: of the table's bytes.   options: JSON values, finite numbers; 1 and 1.0 are different.
    Raises ValueError for a number that is not finite, TypeError for what JSON cannot hold.
    """
    canonical = json.dumps(options, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(f"{data_sha256}\n{canonical}".encode()).hexdigest()[:8]


def digest_of_study(study: Study) -> str:
    """Return the digest of the computation that the study came from, whenever it was made."""
    fit, ensemble = study.fit, study.ensemble
    fronts = {group: part.frontier for group, part in study.groups.items()}
    options: dict[str, Json] = {
        "law": fit.law.name,
        "objective": _objective(fit),
        "solver": fit.solver,
        "fixed": list(fit.fixed),
        "coefs": {name: repr(value) for name, value in fit.coefs.items()},  # two laws of one's own may share a name
        "ensemble": None if ensemble is None else [ensemble.scheme.name, ensemble.seed, len(ensemble.status)],
        "budgets": None if study.frontier is None else repr(study.frontier.flops.tolist()),
        "groups": {group: None if one is None else repr(one.flops.tolist()) for group, one in fronts.items()},
    }
    return digest_of(table_sha256(fit.runs), options)


def table_sha256(runs: Runs) -> str:
    """Return the SHA-256 of a table's numbers by name."""
    table = hashlib.sha256()
    own = {"loss": runs.loss, "weight": runs.weight} | ({} if runs.sigma is None else {"sigma": runs.sigma})
    for name, column in sorted({**runs.columns, **own}.items()):
        table.update(ascii(name).encode() + np.ascontiguousarray(column).tobytes())  # a name may hold a lone surrogate
    return table.hexdigest()


def _objective(fit: Fit) -> list[Json]:
    """Return the name, the space and the choices of an objective."""
    one = fit.objective
    choice: list[Json] = [] if one.dof is None else [repr(one.dof), one.is_estimated, repr(one.scale)]
    return [one.name, one.space, repr(one.delta), *choice]
