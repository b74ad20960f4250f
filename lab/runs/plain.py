"""Turn results into strict JSON: numpy scalars become numbers, NaN becomes null, infinities become text."""

import json
import math
from collections.abc import Mapping
from typing import Any


def plain(value: Any) -> Any:
    """Rewrite a nested value with the types of strict JSON.

    NaN becomes None; infinities become "Infinity" and "-Infinity", which `float` reads back; tuples, sets and
    arrays become lists; keys become text; anything else becomes its `str`.
    """
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return _plain_float(float(value))
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, set | frozenset):
        return [plain(inner) for inner in sorted(value, key=str)]
    if hasattr(value, "tolist"):  # numpy scalars and arrays, without importing numpy
        return plain(value.tolist())
    return str(value)


def _plain_float(value: float) -> float | str | None:
    if math.isnan(value):
        return None
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value


def json_line(value: Any) -> str:
    """Write a value as strict JSON on one line."""
    return json.dumps(plain(value), ensure_ascii=False, allow_nan=False)


def json_pages(value: Any) -> str:
    """Write a value as strict, indented JSON that ends in a newline."""
    return json.dumps(plain(value), ensure_ascii=False, allow_nan=False, indent=2) + "\n"
