# Sends back what comes.
import dora

node = dora.Node()
for event in node:
    if event["type"] == "INPUT":
        node.send_output("data", event["value"])
