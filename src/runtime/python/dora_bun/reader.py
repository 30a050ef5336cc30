"""Takes the node's events from the official package, and passes them on to the operators that they concern."""

from .events import Event


class Reader:
    """One thread reads; what it passes on it does under the runtime's lock."""

    def __init__(self, node, members, lock, notify, reloads):
        self._node = node
        self._members = members
        self._lock = lock
        self._notify = notify
        self._reloads = reloads
        # The node's events have ended.
        self.ended = False
        # Of inputs, told and not yet passed on: in the official package they overtake messages.
        self.ends = []
        # Nothing comes from other nodes any more; operators may still have something to tell each other.
        self._closing = False

    def take(self, wait):
        """Reads the next event, if there is one or it is waited for."""
        # Ends come true when the package has nothing left. (`try_recv` would keep other threads from sending meanwhile.)
        blocks = wait and not self.ends
        event = self._node.next() if blocks or not self._node.is_empty() else None
        with self._lock:
            if event is not None:
                self._route(Event(event))
            elif blocks:
                self._close()
            else:
                self._settle()
            self._notify()

    def _route(self, event):
        kind = event["type"]
        if kind == "STOP" and event.get("id") == "MANUAL":
            for member in self._members:
                member.stop()
        elif kind in ("STOP", "INPUT_CLOSED"):
            self.ends.append(event)
        elif kind == "INPUT":
            self._receive(event)
        elif kind == "INPUT_RECOVERED":
            self._settle()
            self._receive(event)
        elif kind == "RELOAD":
            for member in self._members:
                if event.get("id") in (None, member.operator.id):
                    member.tell(event)
        elif kind == "UNKNOWN" and self._reloads and any(member.operator.changed for member in self._members):
            # Wheels before 1.0 have no word for it.
            for member in self._members:
                if member.operator.changed:
                    member.tell(Event(type="RELOAD", id=member.operator.id, kind="dora"))
        else:
            for member in self._members:
                member.tell(event)

    def _settle(self):
        """Tells of the ends that have been waiting."""
        for event in self.ends:
            if event["type"] == "INPUT_CLOSED":
                self._receive(event)
                continue
            self._closing = True
            for member in self._members:
                member.close_inputs()
        self.ends.clear()

    def _close(self):
        self.ended = True
        if not self._closing:
            for member in self._members:
                member.stop()

    def _receive(self, event):
        owner, event["id"] = event["id"].split("/", 1)
        self._member(owner).receive(event)

    def _member(self, id):
        return next(member for member in self._members if member.operator.id == id)
