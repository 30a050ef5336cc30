"""
Calls an operator as the host of Python operators does, on behalf of a test: events on stdin, answers on stdout. Both are frames:
the lengths of a JSON text and of an Arrow stream as 32-bit numbers, then the two. An answer has a stream for each output.
"""

import json
import struct
import sys

import pyarrow as pa

sys.path.insert(0, sys.argv[1])
from dora_bun.events import Event, array_of, parameters_of  # noqa: E402
from dora_bun.memory import Unnoted  # noqa: E402
from dora_bun.operator import Operator, OperatorError  # noqa: E402


def read_array(stream):
    if not stream:
        return pa.nulls(0)
    with pa.ipc.open_stream(stream) as reader:
        return reader.read_next_batch().column(0)


def write_array(array):
    sink = pa.BufferOutputStream()
    batch = pa.record_batch([array], names=["data"])
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return sink.getvalue()


def answer(text, stream=b""):
    body = json.dumps(text).encode()
    sys.stdout.buffer.write(struct.pack("<II", len(body), len(stream)) + body)
    sys.stdout.buffer.write(stream)
    sys.stdout.buffer.flush()


def send_output(output_id, data, metadata=None):
    answer({"output": output_id, "parameters": parameters_of(metadata)}, write_array(array_of(data)))


def handle(operator, event, stream):
    try:
        if event["type"] == "INPUT":
            event["value"] = read_array(stream)
        return {"status": operator.call(Event(event), send_output)}
    except OperatorError as error:
        return {"error": str(error)}


def main():
    plan = {"id": "op", "path": sys.argv[2], "place": "flow.yml:3:5"}
    operator = Operator("n", 0, plan, Unnoted())
    problem = operator.check()
    if problem:
        raise problem
    operator.load()
    source = sys.stdin.buffer
    while head := source.read(8):
        text, stream = struct.unpack("<II", head)
        event = json.loads(source.read(text))
        answer(handle(operator, event, source.read(stream)))
    operator.drop()


main()
