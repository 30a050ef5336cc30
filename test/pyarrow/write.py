# Writes a stream for each of many columns as pyarrow makes them: a line of JSON with a name, the bytes in hexadecimal and
# the values.
import datetime
import decimal
import json

import numpy as np
import pyarrow as pa

day = datetime.date(2026, 11, 22)
stamp = datetime.datetime(2026, 11, 22, 12, 30, 0, 250000)
texts = ["a", None, "", "a text of more than twelve bytes", "grün"]
COLUMNS = {
    "uint8": pa.array(np.arange(300, dtype=np.uint8)),
    "float32": pa.array(np.linspace(0, 1, 100, dtype=np.float32)),
    "float16": pa.array(np.array([1.5, -2.0], dtype=np.float16)),
    "int64 with nulls": pa.array([1, None, -3]),
    "sliced int32": pa.array(range(50), pa.int32())[13:29],
    "bool": pa.array([True, None, False] * 7),
    "sliced bool": pa.array([True, None, False] * 7)[3:17],
    "utf8": pa.array(texts),
    "sliced utf8": pa.array(texts * 3)[2:11],
    "large utf8": pa.array(texts, pa.large_string()),
    "utf8 view": pa.array(texts, pa.string_view()),
    "binary": pa.array([b"a", None, b""]),
    "fixed-size binary": pa.array([b"abc", None, b"def"], pa.binary(3)),
    "list": pa.array([[1, 2], None, [], [3, None]]),
    "sliced list": pa.array([[1, 2], None, [], [3, None]])[1:],
    "large list": pa.array([["a"], None], pa.large_list(pa.string())),
    "fixed-size list": pa.array([[1, 2], None, [3, None]], pa.list_(pa.int16(), 2)),
    "struct": pa.array([{"a": 1, "b": "x"}, None, {"a": None, "b": "y"}]),
    "sliced struct": pa.array([{"a": i, "b": [str(i)]} for i in range(9)])[4:7],
    "map": pa.array([[("a", 1)], None], pa.map_(pa.string(), pa.int64())),
    "dictionary": pa.array(["a", "b", None, "a"]).dictionary_encode(),
    "dictionary of nothing": pa.array([None, None], pa.string()).dictionary_encode(),
    "null": pa.nulls(3),
    "empty": pa.array([], pa.float64()),
    "empty text": pa.array([], pa.string()),
    "date32": pa.array([day, None]),
    "timestamp": pa.array([stamp, None], pa.timestamp("us", "UTC")),
    "time64": pa.array([stamp.time()], pa.time64("ns")),
    "duration": pa.array([5], pa.duration("ms")),
    "decimal": pa.array([decimal.Decimal("1.25"), None], pa.decimal128(10, 2)),
    "dense union": pa.UnionArray.from_dense(
        pa.array([0, 1, 0], pa.int8()),
        pa.array([0, 0, 1], pa.int32()),
        [pa.array([1, 2]), pa.array(["a"])],
    ),
}

for name, array in COLUMNS.items():
    field = pa.field("data", array.type, True)
    batch = pa.record_batch([array], schema=pa.schema([field]))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    values = array.to_pylist()
    line = {"name": name, "bytes": sink.getvalue().to_pybytes().hex(), "values": values}
    print(json.dumps(line, default=lambda v: list(v) if isinstance(v, bytes) else str(v)))
