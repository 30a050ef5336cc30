"""An operator and its part of the node's edges. Everything here happens under the runtime's lock."""


class Member:
    """One of the operators of a node."""

    def __init__(self, operator, outputs, threads):
        self.operator = operator
        self.ports = []
        # By output: is there a reader in another process, and those in this one.
        self.outputs = {id: (remote, []) for id, remote in outputs.items()}
        # Called by a thread of its own.
        self.threads = threads
        # Timers or logs keep it going.
        self.endless = False
        self.stopping = False
        self.over = False
        # To siblings; those of all outputs.
        self.edges = []
        self.undeclared = set()
        # What it is given as `send_output`.
        self.send_output = None
        # Events that concern no single input, and go first.
        self._news = []
        self._turn = 0

    @property
    def finished(self):
        """Nothing can come any more."""
        data = [port for port in self.ports if port.is_data]
        return bool(data) and not self.endless and all(port.closed for port in data)

    @property
    def ready(self):
        """Is there something to do for its thread?"""
        return self._free and (bool(self._news) or any(port.pending for port in self.ports))

    @property
    def _free(self):
        if self.over:
            return False
        # While something that it sent waits for room, only a stop gets through.
        if not self.stopping:
            for edge in self.edges:
                if edge.waiting:
                    return False
        return True

    @property
    def overfull(self):
        """Should who reads for it wait?"""
        return not self.over and any(not port.local and port.overfull for port in self.ports)

    def next_event(self):
        """The next event if there is one; each input in its turn."""
        if not self._free:
            return None
        if self._news:
            return self._news.pop(0)
        ports = self.ports
        count = len(ports)
        for i in range(self._turn, self._turn + count):
            event = ports[i % count].take()
            if event is not None:
                self._turn = (i + 1) % count
                return event
        return None

    def receive(self, event):
        """An event of one of its inputs."""
        if self.over:
            return
        for port in self.ports:
            if port.id == event["id"]:
                port.put(event)

    def tell(self, event):
        """An event of the node, as far as it concerns this operator."""
        if self.over:
            return
        if event["type"] == "NODE_FAILED":
            prefix = self.operator.id + "/"
            value = event["value"]
            own = [id[len(prefix) :] for id in value["affected_input_ids"] if id.startswith(prefix)]
            if not own:
                return
            event = {**event, "value": {**value, "affected_input_ids": own}}
        self._news.append(dict(event))

    def stop(self):
        """Somebody wants it to end."""
        if self.stopping or self.over:
            return
        self.stopping = True
        self._news.insert(0, {"type": "STOP", "id": "MANUAL", "kind": "dora"})

    def close_inputs(self):
        """Nothing comes from other nodes any more; what is queued is still handed over."""
        for port in self.ports:
            if not port.local:
                port.end()

    def end(self):
        """It takes nothing more, and sends nothing more."""
        self.over = True
        for port in self.ports:
            if port.local:
                port.abandon()
        for edge in self.edges:
            edge.end()
