"""Counts the peaks of each window: how often it comes down from above one half to below minus one half."""

import numpy as np
import pyarrow as pa
from dora import DoraStatus


class Operator:
    def __init__(self):
        self.windows = 0

    def on_event(self, dora_event, send_output):
        if dora_event["type"] == "INPUT":
            self.windows += 1
            window = dora_event["value"].to_numpy()
            sides = np.sign(window[np.abs(window) > 0.5])
            peaks = np.count_nonzero(np.diff(sides) < 0)
            send_output("peaks", pa.array([peaks]), dora_event["metadata"])
        elif dora_event["type"] == "INPUT_CLOSED":
            print(f"looked at {self.windows} windows")
        return DoraStatus.CONTINUE
