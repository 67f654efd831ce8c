"""`python -m packetcrypt.cli`: the `packetcrypt` command, found by its interpreter."""

from packetcrypt.cli.main import main

main()
