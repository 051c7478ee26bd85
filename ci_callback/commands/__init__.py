"""One module per command, and the registry of them all."""
