"""The command as it was called: what help, advice and pages show can be pasted."""

from __future__ import annotations

import sys
from pathlib import Path

INSTALLED = "ci-callback"
"""The command of an installed package. Alerts name it, since the function can't know how the tool
is called."""

PROGRAM = INSTALLED if Path(sys.argv[0]).name.startswith(INSTALLED) else "python -m ci_callback"

VERBOSE = "CI_CALLBACK_VERBOSE"
"""The variable of the option --verbose."""

LEDGER_NAME = "CI_CALLBACK_LEDGER_NAME"
"""The variable in which one command keeps the name that --ledger gave."""
