"""The ways to bootstrap a Chinchilla fit that are measured; one file for each kind."""

from benchmarks.rivals import jaxscale_bootstrap, optax_lbfgs, optimistix_bfgs, scipy_analytic, scipy_autograd

RIVALS = (
    scipy_autograd.RIVAL,
    scipy_analytic.CENTRED,
    scipy_analytic.WHITENED,
    optax_lbfgs.RIVAL,
    optimistix_bfgs.RIVAL,
    jaxscale_bootstrap.RIVAL,
)
