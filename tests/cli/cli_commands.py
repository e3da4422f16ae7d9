"""Command lines that several tests type."""

COMMAND = ("fit", "--replicates", "60", "--flops", "1e12,1e16", "--yes-extrapolate")
"""A fit of the shipped table, with few replicates and two budgets, one of them far beyond the data."""

TABLE = (
    "params,tokens,loss\n1e8,2e9,3.1\n2e8,4e9,2.9\n4e8,8e9,2.7\n8e8,1e10,2.6\n2e9,4e10,2.4\n4e9,9e10,2.3\n"
    "1e8,8e9,2.9\n2e9,4e9,2.7\n"
)
"""A small table that every law can be fitted to."""
