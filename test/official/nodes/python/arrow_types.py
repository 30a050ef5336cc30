"""One array of every Arrow type, by name. The nodes in the other languages have the same."""

import decimal
import math

import pyarrow as pa


def numbers(low, high, arrow_type):
    return pa.array([low, 0, None, 1, high], arrow_type)


def arrays():
    """Names and arrays."""
    made = {
        "null": pa.nulls(3),
        "bool": pa.array([True, False, None, True]),
        "float16": pa.array([1.5, None, -2.25], pa.float16()),
        "float32": pa.array([1.5, None, -math.inf], pa.float32()),
        "float64": pa.array([0.1, None, math.inf], pa.float64()),
        "string": pa.array(["", "grün 🚀", None, "dora"], pa.string()),
        "large_string": pa.array(["", "grün 🚀", None, "dora"], pa.large_string()),
        "string_view": pa.array(["", "a text longer than twelve bytes", None], pa.string_view()),
        "binary": pa.array([b"", b"\x00\xff", None], pa.binary()),
        "large_binary": pa.array([b"", b"\x00\xff", None], pa.large_binary()),
        "binary_view": pa.array([b"", b"more bytes than twelve", None], pa.binary_view()),
        "fixed_size_binary": pa.array([b"abc", None, b"xyz"], pa.binary(3)),
        "date32": pa.array([0, None, 20_000], pa.date32()),
        "date64": pa.array([0, None, 1_728_000_000_000], pa.date64()),
        "time32_s": pa.array([0, None, 86_399], pa.time32("s")),
        "time32_ms": pa.array([0, None, 86_399_999], pa.time32("ms")),
        "time64_us": pa.array([0, None, 86_399_999_999], pa.time64("us")),
        "time64_ns": pa.array([0, None, 86_399_999_999_999], pa.time64("ns")),
        "decimal128": pa.array([decimal.Decimal("-1.25"), None], pa.decimal128(30, 2)),
        "decimal256": pa.array([decimal.Decimal("-1.25"), None], pa.decimal256(60, 2)),
        "month_day_nano": pa.array(
            [pa.MonthDayNano([1, -2, 3]), None], pa.month_day_nano_interval()
        ),
        "list": pa.array([[1, None], [], None, [2]], pa.list_(pa.int32())),
        "large_list": pa.array([[1, None], [], None, [2]], pa.large_list(pa.int32())),
        "list_view": pa.array([[1, None], [], None, [2]], pa.list_view(pa.int32())),
        "large_list_view": pa.array([[1, None], [], None, [2]], pa.large_list_view(pa.int32())),
        "fixed_size_list": pa.array([[1, None], None, [2, 3]], pa.list_(pa.int32(), 2)),
        "struct": pa.array(
            [{"x": 1.5, "name": "a"}, None, {"x": None, "name": None}],
            pa.struct([("x", pa.float64()), ("name", pa.string())]),
        ),
        "map": pa.array([[("a", 1), ("b", None)], None, []], pa.map_(pa.string(), pa.int32())),
        "dictionary": pa.DictionaryArray.from_arrays(
            pa.array([1, None, 0, 1], pa.int8()), pa.array(["red", "green"])
        ),
        "run_end_encoded": pa.RunEndEncodedArray.from_arrays(
            pa.array([2, 5], pa.int32()), pa.array([7, None], pa.int64())
        ),
        "sparse_union": pa.UnionArray.from_sparse(
            pa.array([0, 1, 0], pa.int8()),
            [pa.array([1, 0, 2], pa.int32()), pa.array(["", "a", ""])],
            ["number", "text"],
        ),
        "empty": pa.array([], pa.float32()),
        "nested": pa.array(
            [[{"tags": ["a", None]}, None], None, []],
            pa.list_(pa.struct([("tags", pa.list_(pa.string()))])),
        ),
        "sliced": pa.array(["cut", "b", None, "d", "cut"]).slice(1, 3),
    }
    for bits in (8, 16, 32, 64):
        half = 2 ** (bits - 1)
        made[f"int{bits}"] = numbers(-half, half - 1, f"int{bits}")
        made[f"uint{bits}"] = numbers(0, 2 * half - 1, f"uint{bits}")
    for unit in ("s", "ms", "us", "ns"):
        made[f"timestamp_{unit}"] = pa.array([0, None, -1, 2**31], pa.timestamp(unit))
        made[f"timestamp_{unit}_zone"] = pa.array([0, None, 2**31], pa.timestamp(unit, "UTC"))
        made[f"duration_{unit}"] = pa.array([0, None, -(2**31)], pa.duration(unit))
    return made
