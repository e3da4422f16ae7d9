"""The ways to bootstrap a Chinchilla fit that are measured; one file for each kind."""

from benchmarks.rivals import cpp_loop, jaxscale_bootstrap, optax_lbfgs, optimistix_bfgs, scipy_analytic, scipy_autograd

RIVALS = (
    scipy_autograd.RIVAL,
    scipy_analytic.CENTRED,
    scipy_analytic.WHITENED,
    optax_lbfgs.PUBLISHED,
    optax_lbfgs.CENTRED,
    optax_lbfgs.BATCHED,
    optax_lbfgs.WHITENED,
    optimistix_bfgs.PUBLISHED,
    optimistix_bfgs.CENTRED,
    optimistix_bfgs.BATCHED,
    optimistix_bfgs.WHITENED,
    cpp_loop.ALL_ROWS,
    cpp_loop.DRAWN_ROWS,
    cpp_loop.FROM_CANDIDATES,
    jaxscale_bootstrap.SHIPPED,
    jaxscale_bootstrap.USER,
)
