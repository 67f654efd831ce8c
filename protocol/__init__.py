"""Floor 2: the facts of PacketCrypt, written for reading: slow, obvious, every test's referee."""
