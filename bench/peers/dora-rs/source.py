# The source of src/source.rs in Python: an array of pyarrow for each message.
import os
import time

import dora
import numpy as np
import pyarrow as pa

WARM_UP = 20
SETTLE_NS = 300_000_000
SPIN_NS = 700_000
DRAIN_S = 0.7


def wait_until(at_ns):
    left = at_ns - SPIN_NS - time.time_ns()
    if left > 0:
        time.sleep(left / 1e9)
    while time.time_ns() < at_ns:
        pass


size, count, pace_ns = (int(os.environ[name]) for name in ("SIZE", "COUNT", "PACE_NS"))
node = dora.Node()
body = np.arange(size, dtype=np.uint8)
warm_up = min(WARM_UP, count) if pace_ns > 0 else 0
start = time.time_ns() + SETTLE_NS
node.send_output("data", pa.array(np.frombuffer(start.to_bytes(8, "little"), np.uint8)))
wait_until(start)
for i in range(warm_up + count):
    if pace_ns > 0:
        wait_until(start + i * pace_ns)
    node.send_output("data", pa.array(body))
time.sleep(DRAIN_S)
