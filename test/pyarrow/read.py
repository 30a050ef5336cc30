# Reads the streams that stand length-prefixed on stdin, strictly as official nodes do, and writes for each a line of JSON: its
# type and its values; then the same column as pyarrow writes it, in hexadecimal.
import json
import struct
import sys

import pyarrow as pa


def plain(value):
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, bytes):
        return list(value)
    if isinstance(value, dict):
        return {key: plain(v) for key, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return str(value)


def storage(array):
    """Temporal values as the integers that they are stored as."""
    kind = array.type
    if pa.types.is_date32(kind) or pa.types.is_time32(kind):
        return array.cast(pa.int32())
    if pa.types.is_temporal(kind):
        return array.cast(pa.int64())
    return array


def read(data):
    source = pa.BufferReader(data)
    reader = pa.ipc.open_stream(source)
    batches = list(reader)
    assert len(reader.schema.names) == 1, "one column"
    assert reader.schema.field(0).name == "data" and reader.schema.field(0).nullable, "data"
    assert len(batches) == 1, "one batch"
    assert source.tell() == len(data), "nothing after the end"
    array = batches[0].column(0)
    array.validate(full=True)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, reader.schema) as writer:
        writer.write_batch(batches[0])
    try:
        values = plain(storage(array).to_pylist())
    except (OverflowError, ValueError):
        # A time that Arrow holds and Python's datetime does not.
        values = None
    return {"type": str(array.type), "values": values, "back": sink.getvalue().to_pybytes().hex()}


while header := sys.stdin.buffer.read(4):
    data = sys.stdin.buffer.read(struct.unpack("<I", header)[0])
    try:
        answer = read(data)
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
