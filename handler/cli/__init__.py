"""The command line, for local use: the function never imports it, the bundle leaves it out."""
