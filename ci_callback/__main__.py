"""`python -m ci_callback`: the command line. The deployed function never imports it."""

from ci_callback.main import run

run()
