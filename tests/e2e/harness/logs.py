# SPDX-License-Identifier: Apache-2.0
"""The daemon's log as it comes: parsed, kept, and waited for."""

import json
import threading
import time

from harness import waiting


def matches(line, wanted):
    return all(test(line.get(key)) if callable(test) else line.get(key) == test
               for key, test in wanted.items())


class Log:
    def __init__(self, stream):
        self.lines = []    # JSON lines, as dictionaries
        self.strange = []  # anything else that was written to the same place
        self._changed = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._thread.start()

    def _read(self, stream):
        for raw in stream:
            try:
                line = json.loads(raw)
                is_line = isinstance(line, dict)
            except ValueError:
                is_line = False
            with self._changed:
                if is_line:
                    self.lines.append(line)
                else:
                    self.strange.append(raw.decode(errors='replace').rstrip('\n'))
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def all(self, **wanted):
        """Lines so far with these fields; a value may be a function of the field."""
        with self._changed:
            return [line for line in self.lines if matches(line, wanted)]

    def wait(self, count=1, seconds=None, **wanted):
        """The first such line, or the list of the first `count`; fails when they don't come."""
        deadline = time.monotonic() + (seconds or waiting.SECONDS)
        with self._changed:
            while True:
                found = [line for line in self.lines if matches(line, wanted)]
                if len(found) >= count:
                    return found[0] if count == 1 else found[:count]
                left = deadline - time.monotonic()
                if left <= 0 or self._ended:
                    break
                self._changed.wait(left)
        names = {key: test if not callable(test) else '<function>' for key, test in wanted.items()}
        raise AssertionError(
            f'{len(found)} of {count} log lines like {names} came; the log has\n' + self.text())

    def text(self):
        lines = [json.dumps(line) for line in self.lines[-40:]] + self.strange[-40:]
        return '\n'.join(lines) or '(nothing)'

    def join(self):
        self._thread.join(waiting.SECONDS)
