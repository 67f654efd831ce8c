"""Floor 7: whole pools: master, paymaker, development chain, and all of it together as a devnet."""
