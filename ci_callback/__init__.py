"""The command-line tool, for local use. The function never imports it."""
