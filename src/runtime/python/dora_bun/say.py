"""Log lines, in the form in which the daemon reads them: one JSON object a line."""

import json
import sys
import threading
from datetime import datetime, timezone

# Prints of operators are taken apart by thread; records of several threads must not run into each other.
_speaking = threading.local()
_lock = threading.Lock()


def record(node, level, message, target="dora-bun", stream=None):
    """Writes one record."""
    entry = {
        "level": level,
        "timestamp": datetime.now(timezone.utc).isoformat().replace("+00:00", "Z"),
        "node_id": node,
        "target": target,
        "message": message,
        "fields": {},
    }
    with _lock:
        # The end of stderr is the report of a failure: nothing else belongs there.
        stream = stream or (sys.__stderr__ if level == "ERROR" else sys.__stdout__)
        stream.write(json.dumps(entry) + "\n")


def speak_as(name):
    """What this thread prints from now on is said by an operator. The host itself prints nothing."""
    _speaking.name = name


class NamedStream:
    """Gives what is printed during a call the name of the operator that prints."""

    def __init__(self, plain, node):
        self._plain = plain
        self._node = node
        self._begun = {}

    def write(self, text):
        name = getattr(_speaking, "name", None)
        if name is None:
            return self._plain.write(text)
        *lines, rest = (self._begun.pop(name, "") + text).split("\n")
        for line in lines:
            record(self._node, "STDOUT", line, name, self._plain)
        if rest:
            self._begun[name] = rest
        return len(text)

    def writelines(self, lines):
        for line in lines:
            self.write(line)

    def finish(self, name):
        """Writes what an operator has begun and not ended with a newline."""
        rest = self._begun.pop(name, "")
        if rest:
            record(self._node, "STDOUT", rest, name, self._plain)

    def __getattr__(self, attribute):
        return getattr(self._plain, attribute)


class Plain:
    """Where prints need no names."""

    @staticmethod
    def finish(name):
        pass


def name_prints(node):
    """Replaces the streams of the process. Returns them."""
    sys.stdout = NamedStream(sys.stdout, node)
    sys.stderr = NamedStream(sys.stderr, node)
    return [sys.stdout, sys.stderr]
