"""Floor 3: announcement computations on a device, twice behind one interface: OpenCL and NumPy."""
