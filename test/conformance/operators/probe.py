"""An operator for tests: the name of an input says what to do with it."""

from dora import DoraStatus


class Odd:
    value = 77


class Operator:
    def on_event(self, dora_event, send_output):
        if dora_event["type"] != "INPUT":
            return DoraStatus.CONTINUE
        id = dora_event["id"]
        if id == "echo":
            send_output("out", dora_event["value"], dora_event["metadata"])
        if id == "fail":
            raise ValueError("the operator says no")
        if id == "odd-status":
            return Odd()
        if id == "stop":
            return DoraStatus.STOP
        return DoraStatus.STOP_ALL if id == "stop-all" else DoraStatus.CONTINUE
