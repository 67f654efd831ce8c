"""The NumPy kernels: the production fallback, vectorised over nonces and items."""
