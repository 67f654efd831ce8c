"""The OpenCL kernels (`.cl` files beside their host wrappers)."""
