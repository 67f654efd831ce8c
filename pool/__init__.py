"""Floor 7: whole pools: for now the static pool of `packetcrypt demo`."""
