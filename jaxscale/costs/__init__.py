"""What training runs cost, and what decides it.  Host only; never imports jax."""
