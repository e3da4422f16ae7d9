"""Forecasts on the disk: one JSON file with its own SHA-256, so that what was written down stays what it was."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from jaxscale.errors import StoreError
from jaxscale.meant import near_path
from jaxscale.results.forecast import Forecast
from jaxscale.store.sealed import check_seal, sealed_text
from jaxscale.text import Json, shown_name

KIND = "jaxscale-forecast"
VERSION = 1
ARRAYS = ("loss", "mean_low", "mean_high", "run_low", "run_high", "log_std", "slope")

THERE = "{place}: there is a file already, and a forecast is not written over: choose another name"
NOT_WRITTEN = "{place}: the forecast could not be written ({reason})"
NOT_READ = "{place}: the forecast could not be read ({reason}){meant}"
NO_FORECAST = "{place}: is no forecast of jaxscale, as jaxscale predict … --register FILE writes it"
OTHER_VERSION = "{place}: is a forecast of version {found}, and this jaxscale reads version {known}"
REGISTERED = "{place}: is not what was registered: the SHA-256 of its fields is {found}…, and it names {expected}…"


def save_forecast(path: str | Path, forecast: Forecast) -> Path:
    """Write a forecast, never over a file that is there.

    Parameters
    ----------
    path
        Of the file to be made.
    forecast
        Of `js.forecast`.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    StoreError
        For a file that is there already, or that cannot be written.

    Examples
    --------
    >>> told = js.forecast(js.Study(fit, ensemble), params=[1e9, 1e10])
    >>> js.store.load_forecast(js.store.save_forecast("told.json", told)).study == told.study
    True
    """
    target = Path(path)
    arrays: dict[str, Json] = {name: _listed(getattr(forecast, name)) for name in ARRAYS}
    fields: dict[str, Json] = {
        "made": forecast.made,
        "study": forecast.study,
        "source": forecast.source,
        "level": forecast.level,
        "inputs": {name: _listed(column) for name, column in forecast.inputs.items()},
        **arrays,
        "facts": dict(forecast.facts),
    }
    text = sealed_text(KIND, VERSION, fields)
    try:
        with open(target, "x", encoding="ascii") as handle:
            handle.write(text)
    except FileExistsError as error:
        raise StoreError(THERE.format(place=shown_name(str(target)))) from error
    except OSError as error:
        raise StoreError(NOT_WRITTEN.format(place=shown_name(str(target)), reason=error.strerror)) from error
    return target


def load_forecast(path: str | Path) -> Forecast:
    """Return the forecast of a file, verified.

    Parameters
    ----------
    path
        Of a file that `save_forecast` wrote.

    Returns
    -------
    Forecast
        Number for number as it was made.

    Raises
    ------
    StoreError
        For a file that cannot be read, is no forecast, is of another version, or was edited.
    """
    place = shown_name(str(path))
    try:
        record = json.loads(Path(path).read_bytes())
    except OSError as error:
        raise StoreError(NOT_READ.format(place=place, reason=error.strerror, meant=near_path(path))) from error
    except ValueError as error:
        raise StoreError(NO_FORECAST.format(place=place)) from error
    if not isinstance(record, dict) or record.get("kind") != KIND:
        raise StoreError(NO_FORECAST.format(place=place))
    if record.get("schema_version") != VERSION:
        raise StoreError(OTHER_VERSION.format(place=place, found=record.get("schema_version"), known=VERSION))
    check_seal(record, place, otherwise=NO_FORECAST.format(place=place), edited=REGISTERED)
    return Forecast(
        inputs={name: _array(column) for name, column in record["inputs"].items()},
        **{name: _array(record[name]) for name in ARRAYS},
        level=record["level"],
        study=record["study"],
        source=record["source"],
        made=record["made"],
        facts=record["facts"],
    )


def _listed(column: np.ndarray) -> list[float | None]:
    """Return numbers as JSON holds them, null for those that do not exist."""
    return [float(one) if np.isfinite(one) else None for one in column]


def _array(column: list[float | None]) -> np.ndarray:
    return np.array([np.nan if one is None else one for one in column], dtype=np.float64)
