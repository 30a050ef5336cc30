"""Compares what arrives on each input with what "bytes" sends. With GAPS some may be missing, and the numbers may begin again."""

import os
import sys

import numpy as np
from bytes import message
from say import join, say, say_event, say_pid


def number_of(data, expected):
    """The number of a message, or -1 if it isn't one. An empty one has the number that is expected."""
    n = int.from_bytes(data[:4].tobytes(), "little") if len(data) >= 4 else expected
    return n if np.array_equal(data, message(n)) else -1


node = join()
gaps = "GAPS" in os.environ
last, right, wrong, begun = {}, {}, False, False
for event in node:
    if event["type"] != "INPUT":
        say_event(event)
        continue
    if not begun:
        say_pid()
        begun = True
    name, data = event["id"], event["value"].to_numpy()
    if gaps and len(data) == 0:
        continue
    before = last.get(name, -1)
    n = number_of(data, before + 1)
    if n < 0 or (not gaps and n != before + 1):
        say({"wrong": f"{name}: {len(data)} bytes, number {n} after {before}"})
        wrong = True
        continue
    if gaps and (before < 0 or n <= before):
        say({"began": n})
    last[name] = n
    right[name] = right.get(name, 0) + 1
say({"right": right})
sys.exit(wrong)
