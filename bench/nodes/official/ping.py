# Round trips of several sizes, one after the other; says their times, and the processor time of this process for each, in nanoseconds.
import json
import os
import time

import dora
import numpy as np
import pyarrow as pa

node = dora.Node()
for size in json.loads(os.environ["SIZES"]):
    array = pa.array(np.zeros(size, dtype=np.uint8))
    times = []
    spent = -time.process_time_ns()
    for _ in range(400 if size < 1 << 19 else 80):
        before = time.perf_counter_ns()
        node.send_output("data", array)
        while node.next()["type"] != "INPUT":
            pass
        times.append(time.perf_counter_ns() - before)
    spent += time.process_time_ns()
    said = {"size": size, "roundTrips": times[len(times) // 8 :], "own": spent / len(times)}
    print(json.dumps(said), flush=True)
