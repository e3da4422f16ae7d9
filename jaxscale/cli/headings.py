"""The headings of help: which commands and which options stand under each."""

from __future__ import annotations

COMMANDS = {
    "From a table of runs": ("fit", "studies", "compare", "specifications", "approaches", "check", "coverage"),
    "From a saved result": ("frontier", "predict", "plan", "design", "plot", "report"),
    "Forecasts and large studies": ("score", "bootstrap", "merge"),
    "What there is": ("laws", "doctor"),
}
"""Every command, by its heading."""
OTHER = "Options"
"""Heading of the options that no other heading names; the first of a page."""
OPTIONS = {
    "Law and coefs": ("--law", "--law-expr", "--coef", "--law-name", "--constants", "--set"),
    "Fit": ("--objective", "--delta", "--dof", "--space", "--fix", "--per-group", "--solver", "--device"),
    "Replicates and intervals": ("--replicates", "--scheme", "--seed", "--level", "--interval"),
    "Reading the table": (
        "--map", "--where", "--group", "--final", "--annealed", "--lowest-per", "--missing", "--units", "--units-ok",
        "--scale", "--sep", "--decimal", "--thousands", "--encoding", "--warmup",
    ),
    "Output": (
        "--out", "--force", "--plot", "--width", "--format", "--json", "--quiet", "--verbose", "--debug", "--version",
        "--help",
    ),
}  # fmt: skip
"""The options that commands share, by their heading and in no order: a page keeps the order of the command."""
