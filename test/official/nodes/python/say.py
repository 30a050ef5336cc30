"""What all nodes share: joining the dataflow, numbers from the environment, and saying what they see as lines of JSON."""

import json
import os

import dora

#: The parameters of every message of a source, in all languages; "name" comes on top.
PARAMETERS = {
    "bool": True,
    "integer": -(2**53),
    "float": 0.5,
    "integers": [1, -2, 2**63 - 1],
    "floats": [1.5, -2.5],
    "strings": ["a", "ü"],
}


def join():
    """Joins the dataflow: as a dynamic node when NODE_ID is set."""
    node_id = os.environ.get("NODE_ID")
    return dora.Node(node_id=node_id) if node_id else dora.Node()


def number(name, otherwise):
    """A number from the environment."""
    return int(os.environ.get(name, otherwise))


def say(value):
    print(json.dumps(value), flush=True)


def say_pid():
    """Says which process this is: a node does so at its first message, so that who kills it knows that it is at work."""
    say({"pid": os.getpid()})


def say_event(event):
    """Says an event that is no input."""
    keys = ("id", "source_node_id", "key", "value", "error")
    said = {key: event[key] for key in keys if key in event}
    say({"event": event["type"], **said})
