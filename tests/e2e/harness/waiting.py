# SPDX-License-Identifier: Apache-2.0
"""How long to wait. Nothing sleeps: every wait ends with its event, or fails at its deadline."""

import os
import threading
import time

# A sanitizer build on a busy machine is slow: to look for leaks at its end it takes seconds of a core
# that it has a tenth of. Deadlines only matter when something is wrong.
SLOW = 4 if 'tsan' in os.environ.get('HANDFAST_BUILD', '') else 1
SECONDS = 60 * SLOW


def until(condition, what='it'):
    """Asks again and again, for what tells nobody that it has happened."""
    deadline = time.monotonic() + SECONDS
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, f'{what} did not come about'
        pause.wait(0.01)
