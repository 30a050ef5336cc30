"""Smooths each window: a sample becomes the mean of those around it."""

import numpy as np
import pyarrow as pa
from dora import DoraStatus

WIDTH = 21


class Operator:
    def __init__(self):
        self.kernel = np.full(WIDTH, 1 / WIDTH, dtype=np.float32)

    def on_event(self, dora_event, send_output):
        if dora_event["type"] == "INPUT":
            window = dora_event["value"].to_numpy()
            smooth = np.convolve(window, self.kernel, mode="same")
            send_output("window", pa.array(smooth), dora_event["metadata"])
        return DoraStatus.CONTINUE
