"""Floor 2: the facts of PacketCrypt, written for reading; slow, obvious, the referee of every test."""
