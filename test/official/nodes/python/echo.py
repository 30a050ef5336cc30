"""Sends every message back: on the output that is named like the input, with the same parameters."""

from say import join, say_event, say_pid

node = join()
begun = False
for event in node:
    if event["type"] == "INPUT":
        node.send_output(event["id"], event["value"], event["metadata"])
        if not begun:
            say_pid()
        begun = True
    else:
        say_event(event)
