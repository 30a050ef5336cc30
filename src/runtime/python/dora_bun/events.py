"""What operators are told, and what they send."""

from datetime import datetime

import pyarrow as pa


class Event(dict):
    """An event as the official runtime hands it over. Beside `value` there is `data`, its bytes, as in older releases."""

    def __missing__(self, key):
        if key == "data" and "value" in self:
            return bytes_of(self["value"])
        raise KeyError(key)

    def __reduce__(self):
        # Elsewhere, in a process of its own perhaps, it is a dict like any other.
        return dict, (dict(self),)

    def get(self, key, default=None):
        try:
            return self[key]
        except KeyError:
            return default


def bytes_of(array):
    """The bytes of the elements of an array, without nulls and headers."""
    kind = array.type
    if pa.types.is_null(kind) or len(array) == 0:
        return b""
    buffers = array.buffers()
    if pa.types.is_primitive(kind) and kind.bit_width >= 8 or pa.types.is_fixed_size_binary(kind):
        width = kind.bit_width // 8
        return buffers[1][array.offset * width : (array.offset + len(array)) * width].to_pybytes()
    if any(is_text(kind) for is_text in _TEXTS):
        size = 8 if pa.types.is_large_string(kind) or pa.types.is_large_binary(kind) else 4
        offsets = memoryview(buffers[1]).cast("q" if size == 8 else "i")
        begin, end = offsets[array.offset], offsets[array.offset + len(array)]
        return buffers[2][begin:end].to_pybytes() if buffers[2] else b""
    raise TypeError(f"an array of {kind} has no `data`; use `value`")


_TEXTS = [pa.types.is_string, pa.types.is_binary, pa.types.is_large_string, pa.types.is_large_binary]


def array_of(data):
    """What an operator sends, as an array. Raises RuntimeError as the official runtime does."""
    if isinstance(data, bytes):
        return pa.Array.from_buffers(pa.uint8(), len(data), [None, pa.py_buffer(data)])
    if isinstance(data, pa.Array):
        return data
    raise RuntimeError(f"`send_output` takes bytes or an array of pyarrow, not {type(data).__name__}")


def size_of(array):
    """Bytes of the elements of an array."""
    if isinstance(array, pa.lib.NumericArray):
        # `nbytes` takes twenty times as long.
        return len(array) * array.type.bit_width // 8
    return array.nbytes


def parameters_of(metadata):
    """Metadata as it arrives where a message leaves the process: what dora has no type for is text."""
    return {key: _parameter(value) for key, value in (metadata or {}).items()}


def _parameter(value):
    if isinstance(value, (bool, int, float, str, datetime)):
        return value
    if not isinstance(value, (list, tuple)) or (value and not isinstance(value[0], (int, float, str))):
        return str(value)
    kinds = {type(element) for element in value}
    if len(kinds) > 1:
        names = ", ".join(sorted(kind.__name__ for kind in kinds))
        raise TypeError(f"the elements of a list of parameters must be of one type, not {names}")
    return list(value)
