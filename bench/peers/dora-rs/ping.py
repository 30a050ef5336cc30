# The ping node of src/ping.rs in Python.
import json
import os
import time

import dora
import numpy as np
import pyarrow as pa

WARM_UP = 20
SETTLE_S = 0.3

size, count = (int(os.environ[name]) for name in ("SIZE", "COUNT"))
node = dora.Node()
body = np.arange(size, dtype=np.uint8)
time.sleep(SETTLE_S)
times = []
for i in range(WARM_UP + count):
    before = time.perf_counter_ns()
    node.send_output("data", pa.array(body))
    event = node.next()
    while event is not None and event["type"] != "INPUT":
        event = node.next()
    if event is None:
        break
    if i >= WARM_UP:
        times.append(time.perf_counter_ns() - before)
print(json.dumps({"roundTrips": times}, separators=(",", ":")), flush=True)
