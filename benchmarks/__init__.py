"""Measurements of jaxscale against the other ways to do the same work; `python -m benchmarks --help` lists them."""
