"""Floor 5: asking other services: the pool master, the paymaker."""
