"""Sends a message of bytes on "bytes" at each input, COUNT in all: its number in the first four bytes, then a pattern."""

import numpy as np
import pyarrow as pa
from say import join, number, say_event, say_pid

#: Lengths of the messages, in turn.
SIZES = (0, 4, 100, 5000, 70_000, 300_000)


def message(n):
    """Message `n`; the other languages have the same."""
    data = (np.arange(SIZES[n % len(SIZES)]) * 7 + n).astype(np.uint8)
    data[:4] = np.frombuffer(n.to_bytes(4, "little"), np.uint8)[: len(data)]
    return data


if __name__ == "__main__":
    node = join()
    n, count = 0, number("COUNT", 12)
    for event in node:
        if event["type"] != "INPUT":
            say_event(event)
            continue
        node.send_output("bytes", pa.array(message(n)), {"n": n})
        if n == 0:
            say_pid()
        n += 1
        if n == count:
            break
