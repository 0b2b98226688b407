"""The command line. Its import is the first thing a process does, which is why the clock starts here."""

import time

STARTED_AT = time.monotonic()
