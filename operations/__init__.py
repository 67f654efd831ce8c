"""Floor 5: what a program tells its operator over HTTP, `/health` and `/metrics`."""
