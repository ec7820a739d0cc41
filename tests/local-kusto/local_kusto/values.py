"""Converts values: from JSON to columns, and from rows to JSON."""

from __future__ import annotations

import datetime
import json
import math
import re
import uuid
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

MEBIBYTE = 1 << 20
#: The most bytes of a value, by the encoding profile of its column.
VALUE_BYTES_MAX = {"BigObject": 2 * MEBIBYTE, "BigObject32": 32 * MEBIBYTE}
_RANGES = {"int": 1 << 31, "long": 1 << 63}
_DATETIME = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)(?:[T ](?P<time>\d\d:\d\d(?::\d\d)?)(?:\.(?P<fraction>\d+))?"
    r"(?P<zone>Z|[+-]\d\d:\d\d)?)?$"
)
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_FROM_DUCKDB = {
    "BIGINT": "long",
    "BOOLEAN": "bool",
    "DATE": "datetime",
    "DOUBLE": "real",
    "FLOAT": "real",
    "HUGEINT": "long",
    "INTEGER": "int",
    "INTERVAL": "timespan",
    "JSON": "dynamic",
    "SMALLINT": "int",
    "TIMESTAMP": "datetime",
    "TINYINT": "int",
    "UBIGINT": "long",
    "UUID": "guid",
    "VARCHAR": "string",
}


def store(value: Any, kind: str, encoding: str | None) -> Any:
    """A JSON value as a column of the type stores it. Never fails, like the service."""
    bytes_max = VALUE_BYTES_MAX.get(encoding or "", MEBIBYTE)
    if kind == "string":
        return _truncated(_string(value), bytes_max)
    if value is None:
        return None
    if kind == "dynamic":
        text = compact(value)
        return None if len(text.encode()) > bytes_max else text
    try:
        return _STORERS[kind](value)
    except (ValueError, OverflowError, InvalidOperation, KeyError, TypeError):
        return None


def compact(value: Any) -> str:
    """JSON without blanks, as valid UTF-8."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=str)
    return _LONE_SURROGATE.sub("\ufffd", text)


def column_type(duckdb_type: str) -> str:
    """The KQL type of a column of a result."""
    if duckdb_type.startswith("DECIMAL"):
        return "decimal"
    if duckdb_type.startswith("TIMESTAMP"):
        return "datetime"
    return _FROM_DUCKDB.get(duckdb_type, "dynamic")


def show(value: Any, kind: str, dynamic_as_text: bool) -> Any:
    """A value of a row as the protocol writes it."""
    if value is None:
        # A string is never null.
        return "" if kind == "string" else None
    if kind in ("string", "long", "int", "bool"):
        return value
    if kind == "dynamic":
        text = value if isinstance(value, str) else compact(value)
        return text if dynamic_as_text else json.loads(text)
    if kind == "datetime":
        return _show_datetime(value)
    if kind == "real":
        return value if math.isfinite(value) else str(value)
    if kind == "timespan":
        return _show_timespan(value)
    return str(value)


def _string(value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        return compact(value)
    return _LONE_SURROGATE.sub("\ufffd", value)


def _truncated(text: str, bytes_max: int) -> str:
    if len(text) * 4 <= bytes_max:
        return text
    data = text.encode()
    return text if len(data) <= bytes_max else data[:bytes_max].decode("utf-8", "ignore")


def _integer(value: Any, kind: str) -> int | None:
    if isinstance(value, float) and not value.is_integer():
        return None
    number = int(value)
    return number if -_RANGES[kind] <= number < _RANGES[kind] else None


def _datetime(value: Any) -> datetime.datetime | None:
    match = _DATETIME.match(value)
    if not match:
        return None
    # Kusto has seven digits, DuckDB six.
    text = f"{match['date']}T{match['time'] or '00:00:00'}.{(match['fraction'] or '0')[:6]:0<6}"
    zone = match["zone"] or "Z"
    moment = datetime.datetime.fromisoformat(text + ("+00:00" if zone == "Z" else zone))
    return moment.astimezone(datetime.UTC).replace(tzinfo=None)


def _bool(value: Any) -> bool:
    if isinstance(value, str):
        return {"true": True, "false": False, "1": True, "0": False}[value.lower()]
    return bool(value)


_STORERS: dict[str, Callable[[Any], Any]] = {
    "bool": _bool,
    "datetime": _datetime,
    "decimal": lambda value: Decimal(str(value)),
    "guid": lambda value: uuid.UUID(str(value)),
    "int": lambda value: _integer(value, "int"),
    "long": lambda value: _integer(value, "long"),
    "real": float,
    # DuckDB reads `hh:mm:ss` too.
    "timespan": str,
}


def _show_datetime(value: Any) -> str:
    if isinstance(value, datetime.datetime):
        return f"{value.isoformat(timespec='microseconds')[:26]}0Z"
    return f"{value}T00:00:00.0000000Z"


def _show_timespan(value: datetime.timedelta) -> str:
    sign = "-" if value < datetime.timedelta(0) else ""
    value = abs(value)
    hours, rest = divmod(value.seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    days = f"{value.days}." if value.days else ""
    fraction = f".{value.microseconds:06}0" if value.microseconds else ""
    return f"{sign}{days}{hours:02}:{minutes:02}:{seconds:02}{fraction}"
