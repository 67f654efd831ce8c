"""Floor 4: devices, scheduling, self-test and statistics; what embedders import."""
