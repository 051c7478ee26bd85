"""`python -m handler`: the command line. The deployed function never imports it."""

from handler.cli.main import run

run()
