"""Compares what arrives on "types" with what the source of every language sends, and says what was right and what not."""

import sys

from arrow_types import arrays
from say import PARAMETERS, join, say, say_event

node = join()
expected = arrays()
right, wrong = [], []
for event in node:
    if event["type"] != "INPUT":
        say_event(event)
        continue
    metadata = {k: v for k, v in event["metadata"].items() if k in PARAMETERS}
    name = event["metadata"].get("name", "")
    wanted, value = expected.pop(name, None), event["value"]
    if wanted is None:
        wrong.append(f"{name}: not expected")
    elif wanted.type != value.type or not wanted.equals(value):
        wrong.append(f"{name}: {value.type} {value}")
    elif metadata != PARAMETERS:
        wrong.append(f"{name}: {metadata}")
    else:
        right.append(name)
say({"right": right, "wrong": wrong, "missing": list(expected)})
sys.exit(1 if wrong else 0)
