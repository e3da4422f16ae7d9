"""The ways to bootstrap a Chinchilla fit that are measured; each is one file with one `RIVAL`."""

from benchmarks.rivals import jaxscale_bootstrap, optax_lbfgs, optimistix_bfgs, scipy_analytic, scipy_autograd

RIVALS = (
    scipy_autograd.RIVAL,
    scipy_analytic.RIVAL,
    optax_lbfgs.RIVAL,
    optimistix_bfgs.RIVAL,
    jaxscale_bootstrap.RIVAL,
)
