"""Floor 6: programs that mine for pools."""
