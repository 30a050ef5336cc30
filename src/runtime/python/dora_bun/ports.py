"""The inputs of an operator: queues, each with its own policy. Everything here happens under the runtime's lock."""

from collections import deque

from .memory import CLOSED_WORD, HEAD_WORD, POLICY_WORD, QUEUE_SIZE_WORD, SENT_BYTES_FLOAT, TAIL_WORD, TAKEN_WORD, WAITED_WORD

# As many may wait for room as with operators of other kinds (core/limits.ts).
MAX_PENDING_SENDS = 1024


# The official package keeps what an operator with `queue_policy: backpressure` has not taken; of that so much is fetched.
MAX_FETCHED = 1024
# Not for operators: an input has ended that was told as closed before.
ENDED = "ENDED"


class Port:
    """An input that the daemon feeds. The official package has a queue for it; what is here waits for its operator."""

    local = False

    def __init__(self, id, memory, plan):
        base = plan["ring"] >> 2
        self.id = id
        self.is_data = plan["producer"] is not None
        self.closed = False
        self._size = memory.words[base + QUEUE_SIZE_WORD]
        self._backpressure = memory.words[base + POLICY_WORD] == 1
        # Told as closed when it is silent: such an input ends with the stream of all.
        self._recovers = plan.get("recovers", False)
        self._ended = False
        self._queue = deque()

    @property
    def pending(self):
        return bool(self._queue) or (self._ended and not self.closed)

    @property
    def overfull(self):
        return self._backpressure and len(self._queue) >= MAX_FETCHED

    def put(self, event):
        if event["type"] == "INPUT" and not self._backpressure and len(self._queue) >= self._size:
            self._queue.popleft()
        self._queue.append(event)

    def take(self):
        if self._queue:
            event = self._queue.popleft()
            if event["type"] == "INPUT_CLOSED" and not self._recovers:
                self.closed = True
            return event
        if not self._ended or self.closed:
            return None
        self.closed = True
        return {"type": ENDED} if self.is_data else None

    def end(self):
        """Nothing comes any more."""
        self._ended = True


class SiblingEdge:
    """From an output of one operator to an input of another one. Its counters lie where those of every edge do."""

    local = True
    is_data = True

    def __init__(self, id, memory, plan, consumer):
        self.id = id
        self.consumer = consumer
        self.closed = False
        self.gone = False
        self._ended = False
        self._queue = deque()
        # Of a sender that is held back until there is room.
        self.waiting = deque()
        self._words = memory.words
        self._floats = memory.floats
        self._base = plan["ring"] >> 2
        self.size = self._words[self._base + QUEUE_SIZE_WORD]
        self.backpressure = self._words[self._base + POLICY_WORD] == 1
        # What a process before this one had queued is gone.
        self._words[self._base + TAIL_WORD] = self._words[self._base + HEAD_WORD]
        self._words[self._base + CLOSED_WORD] = 0

    @property
    def pending(self):
        return bool(self._queue) or (self._ended and not self.closed)

    @property
    def full(self):
        """Would a message have to wait?"""
        return self.backpressure and not self.gone and len(self._queue) >= self.size

    def push(self, event, size):
        if self.gone:
            return
        if self.full:
            self.count_wait()
            self.waiting.append((event, size))
            return
        if len(self._queue) >= self.size:
            self._drop()
        self._append(event, size)

    def take(self):
        if self._queue:
            event = self._queue.popleft()
            self._count(TAIL_WORD)
            self._count(TAKEN_WORD)
            if self.waiting:
                self._append(*self.waiting.popleft())
            return event
        if self._ended and not self.closed:
            self.closed = True
            return {"type": "INPUT_CLOSED", "id": self.id}
        return None

    def count_wait(self):
        """Its sender has to wait for room."""
        self._count(WAITED_WORD)

    def end(self):
        """The sender sends nothing more."""
        self._ended = True
        self._words[self._base + CLOSED_WORD] = 1

    def abandon(self):
        """The consumer takes nothing more."""
        self.gone = True
        self.waiting.clear()
        while self._queue:
            self._drop()

    def _append(self, event, size):
        self._queue.append(event)
        self._count(HEAD_WORD)
        self._floats[(self._base >> 1) + SENT_BYTES_FLOAT] += size

    def _drop(self):
        self._queue.popleft()
        self._count(TAIL_WORD)

    def _count(self, word):
        at = self._base + word
        self._words[at] = self._words[at] + 1 & 0xFFFFFFFF
