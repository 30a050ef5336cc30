"""Says and counts the ticks of its timers, sends their number on "ticks", and leaves after COUNT of them."""

import pyarrow as pa
from say import join, number, say, say_event

node = join()
count = number("COUNT", 2**63)
sends = bool(node.node_config()["outputs"])
seen = 0
for event in node:
    if event["type"] != "INPUT":
        say_event(event)
        continue
    seen += 1
    say({"event": "INPUT", "id": event["id"], "length": len(event["value"])})
    if sends:
        node.send_output("ticks", pa.array([seen], pa.int64()))
    if seen == count:
        break
