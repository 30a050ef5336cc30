"""The node's inbox in shared memory: counters of edges that don't leave the process, and whose code is running."""

import mmap
import os

# docs/layout.md; ffi/layout.test.ts compares these with src/shm/layout.ts.
CALL_WORD = 98
CALLS_WORD = 99
CALL_BITS = 3
CALL_LOAD = 1
CALL_INIT = 2
CALL_EVENT = 3
CALL_DROP = 4
HEAD_WORD = 0
QUEUE_SIZE_WORD = 3
POLICY_WORD = 5
TAIL_WORD = 32
TAKEN_WORD = 33
CLOSED_WORD = 64
SENT_BYTES_FLOAT = 64
WAITED_WORD = 132


class Memory:
    """Words of the inbox. It belongs to the daemon, so what stands there survives this process."""

    def __init__(self, plan):
        inbox = plan["inbox"]
        descriptor = os.open(f"/proc/{plan['pid']}/fd/{inbox['fd']}", os.O_RDWR)
        try:
            self._map = mmap.mmap(descriptor, inbox["size"])
        finally:
            os.close(descriptor)
        self.words = memoryview(self._map).cast("I")
        self.floats = memoryview(self._map).cast("d")

    def enter(self, operator, step):
        """Notes which operator is called next: after a crash, or while it does not return, the daemon says who it was."""
        self.words[CALL_WORD] = (operator + 1) << CALL_BITS | step
        self.words[CALLS_WORD] = self.words[CALLS_WORD] + 1 & 0xFFFFFFFF

    def leave(self):
        self.words[CALL_WORD] = 0


class Unnoted:
    """Takes no note of calls."""

    def enter(self, operator, step):
        pass

    def leave(self):
        pass
