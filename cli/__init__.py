"""Floor 8: the `packetcrypt` command; no logic."""
