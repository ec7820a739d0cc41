"""What differs between two checkpoints."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from ._types import Differences, Payload, PlainElement, PlainPart


class Part(NamedTuple):
    """A value, or an element of a list."""

    bytes: int
    """Its serialized size."""
    value: Any
    """`None` unless values were asked for. A list whose elements are named has none."""


class ElementDifference(NamedTuple):
    """An element of a list: added if it has no `before`, removed if it has no `after`."""

    place: int | None
    """Its place in the list after; of a removed element in the list before. `None` if more than
    what differs would have to be read to count it."""
    before: Part | None
    after: Part | None


class ChannelDifference(NamedTuple):
    """A channel whose version or value differs."""

    channel: str
    version_before: int | float | str | None
    version_after: int | float | str | None
    before: Part | None
    after: Part | None
    elements: list[ElementDifference] | None
    """Of two lists, or none if the values are equal. `None` if they are not both lists."""


class WriteSize(NamedTuple):
    """A write, and its value."""

    task_id: str
    channel: str
    value: Part


class Difference(NamedTuple):
    """What differs between a checkpoint and an earlier one."""

    before: str | None
    """The earlier one; `None` if the checkpoint has no parent. Then everything is new."""
    channels: list[ChannelDifference]
    writes: list[WriteSize]
    """The writes stored with the earlier one: what its tasks wrote."""


def difference(found: Differences, load: Callable[[str, Payload], Any]) -> Difference:
    """The difference with its values loaded."""

    def of(channel: str, plain: PlainPart) -> Part:
        size, value = plain
        return Part(size, None if value is None else load(channel, value))

    def part(channel: str, plain: PlainPart | None) -> Part | None:
        return None if plain is None else of(channel, plain)

    def element(channel: str, plain: PlainElement) -> ElementDifference:
        place, before, after = plain
        return ElementDifference(place, part(channel, before), part(channel, after))

    channels = [
        ChannelDifference(
            channel,
            version_before,
            version_after,
            part(channel, before),
            part(channel, after),
            None if elements is None else [element(channel, each) for each in elements],
        )
        for channel, version_before, version_after, before, after, elements in found[1]
    ]
    writes = [WriteSize(task, channel, of(channel, value)) for task, channel, value in found[2]]
    return Difference(found[0], channels, writes)
