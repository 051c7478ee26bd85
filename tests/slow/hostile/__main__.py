"""`python -m tests.slow.hostile`: every hostile input once, and the table of figures.

With names of families behind it, these alone.
"""

import sys

from tests.slow.hostile.run import main

sys.exit(main(sys.argv[1:]))
