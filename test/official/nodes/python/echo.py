"""Sends every message back: on the output that is named like the input, with the same parameters."""

from say import join, say_event

node = join()
for event in node:
    if event["type"] == "INPUT":
        node.send_output(event["id"], event["value"], event["metadata"])
    else:
        say_event(event)
