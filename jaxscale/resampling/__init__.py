"""Other tables we might have measured: each scheme draws weights, or targets, for the rows; one scheme per file."""

from jaxscale import names
from jaxscale.registry import Registry
from jaxscale.resampling.drawing import check_seed, draw_replicate, key_of, key_words, redraw
from jaxscale.resampling.simulated import scheme_of_tables, simulated_shifts
from jaxscale.resampling.spec import Draw, Fitted, Scheme, Table, Tables, clusters_of

SCHEMES: Registry[Scheme] = Registry.of_files("scheme", __name__, names.SCHEMES)

__all__ = [
    "SCHEMES",
    "Draw",
    "Fitted",
    "Scheme",
    "Table",
    "Tables",
    "check_seed",
    "clusters_of",
    "draw_replicate",
    "key_of",
    "key_words",
    "redraw",
    "scheme_of_tables",
    "simulated_shifts",
]
