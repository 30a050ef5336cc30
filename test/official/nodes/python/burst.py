"""Sends COUNT numbered messages of SIZE bytes on "numbers", INTERVAL_MS apart, from FIRST on; leaves with the code EXIT."""

import sys
import time

import numpy as np
import pyarrow as pa
from say import join, number

node = join()
interval = number("INTERVAL_MS", 0) / 1000
first = number("FIRST", 0)
values = np.zeros(max(1, (number("SIZE", 8) + 7) // 8), np.int64)
for i in range(first, first + number("COUNT", 100)):
    values[0] = i
    node.send_output("numbers", pa.array(values))
    if interval > 0:
        time.sleep(interval)
code = number("EXIT", 0)
if code != 0 and not node.is_restart():
    print(f"told to fail with {code}", file=sys.stderr, flush=True)
    sys.exit(code)
