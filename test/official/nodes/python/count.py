"""Takes the messages of its inputs, DELAY_MS for each, and says what is missing or out of order."""

import time

from say import join, number, say, say_event

node = join()
delay = number("DELAY_MS", 0) / 1000
received = disordered = size = 0
first, last, start, end = None, -(2**63), 0.0, 0.0
for event in node:
    if event["type"] != "INPUT":
        say_event(event)
        continue
    value = event["value"]
    if first is None:
        start = time.monotonic()
    n = value[0].as_py()
    received += 1
    size += value.nbytes
    disordered += n <= last
    last = n
    first = n if first is None else first
    end = time.monotonic()
    time.sleep(delay)
say({
    "received": received,
    "disordered": disordered,
    "bytes": size,
    "first": -1 if first is None else first,
    "last": last,
    "seconds": end - start,
})
