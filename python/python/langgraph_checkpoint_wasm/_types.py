"""What the extension takes and gives, as types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from ._core import Revival

Payload: TypeAlias = tuple[str, bytes]
"""What a serializer gives: its type tag, and bytes."""

Write: TypeAlias = tuple[str, str, Payload]
"""Task, channel and value."""

Found: TypeAlias = tuple[
    str,
    str,
    str,
    str | None,
    int | float,
    str,
    dict[str, Any],
    "Revival | dict[str, Payload]",
    Payload,
    Payload,
    list[Write],
    list[Payload] | None,
]
"""The fields of `Stored` in `_convert.py`."""

Page: TypeAlias = tuple[list[Found], bytes | None]
"""Tuples, and what `Call.list` takes for the next page; `None` after the last one."""

Work: TypeAlias = tuple[int, int, int, int, int, bytes | None]
"""The fields of `Progress` in `_lifecycle.py`, and what `Call.prune` takes to go on."""

Threads: TypeAlias = tuple[
    list[tuple[str, str, str, Payload, int, int, int]],
    bytes | None,
]
"""The fields of each `ThreadInfo` in `_lifecycle.py`, and what `Call.threads` takes to go on."""

Verified: TypeAlias = tuple[int, int, int, int, int, list[tuple[str, str, str]], bytes | None]
"""Five counts, the fields of each `Problem` in `_lifecycle.py`, and what `Call.verify` takes."""

PlainPart: TypeAlias = tuple[int, Payload | None]
"""The fields of `Part` in `_difference.py`."""

PlainElement: TypeAlias = tuple[int | None, PlainPart | None, PlainPart | None]
"""The fields of `ElementDifference` in `_difference.py`."""

Differences: TypeAlias = tuple[
    str | None,
    list[
        tuple[
            str,
            int | float | str | None,
            int | float | str | None,
            PlainPart | None,
            PlainPart | None,
            list[PlainElement] | None,
        ]
    ],
    list[tuple[str, str, PlainPart]],
]
"""The fields of `Difference`, `ChannelDifference` and `WriteSize` in `_difference.py`."""
