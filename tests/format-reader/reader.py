"""Reads stored format 1 from SQLite. Written from docs/format.md alone."""

import json
import sqlite3
from dataclasses import dataclass
from struct import pack
from typing import Any

from blake3 import blake3
from unpacked import unpacked

FORMAT = 1
LEAF, NODE, BRANCH, SPINE, SEQUENCE = 1, 2, 3, 4, 4
# For each shape: what its sequences begin with, have between their pieces, and end with. Those of
# MessagePack begin with a header, whose markers are here: for up to 15 elements, 16 bits, 32 bits.
SHAPES = {0: (b"", b"", b""), 1: (b"[", b",", b"]"), 2: (b"{", b",", b"}")}
PACKED = {3: (0x90, 0xDC, 0xDD), 4: (0x80, 0xDE, 0xDF)}


class NewerFormatError(Exception):
    """A later version wrote the data."""


class DamagedError(Exception):
    """The stored data is damaged."""


def checked(condition: bool, what: str) -> None:
    if not condition:
        raise DamagedError(what)


def mixed(*parts: bytes | str) -> bytes:
    """The function H of the document."""
    encoded = [part.encode() if isinstance(part, str) else part for part in parts]
    return blake3(b"".join(pack("<Q", len(part)) + part for part in encoded))


def opened(sealed: bytes, *columns: bytes | str) -> Any:
    """The structure in an envelope. Checks the checksum, which also covers these columns."""
    checked(len(sealed) > 10 and sealed[0] & 0xF0 == 0x90 and sealed[1] < 0x80, "an envelope")
    if sealed[1] > FORMAT:
        raise NewerFormatError(sealed[1])
    envelope, checksum = sealed[:-8], sealed[-8:]
    checked(mixed(envelope, *columns)[:8] == checksum, "a checksum")
    return unpacked(envelope)


def header(markers: tuple[int, int, int], count: int) -> bytes:
    """The shortest MessagePack header of an array or map of this many elements or entries."""
    if count < 16:
        return bytes([markers[0] | count])
    if count < 1 << 16:
        return pack(">BH", markers[1], count)
    return pack(">BI", markers[2], count)


def ends(shape: int, elements: int) -> tuple[bytes, bytes, bytes]:
    if shape in PACKED:
        return header(PACKED[shape], elements), b"", b""
    return SHAPES[shape]


@dataclass
class Thread:
    """A thread's chunks; joins its values."""

    db: sqlite3.Connection
    key: int

    def chunk(self, role: int, name: bytes) -> bytes:
        query = "SELECT data FROM lg_chunks WHERE thread_key = ? AND hash = ?"
        row = self.db.execute(query, (self.key, name)).fetchone()
        checked(row is not None, "a missing chunk")
        data: bytes = row[0]
        checked(blake3(bytes([role]) + data)[:20] == name, "a chunk")
        return data

    def joined(self, piece: Any, shape: int = 0) -> bytes:
        """The bytes that a piece represents in a sequence of this shape."""
        if isinstance(piece, bytes):
            return piece
        kind, *rest = piece
        if kind == SEQUENCE:
            return self.sequence(rest[0])
        name, length = rest
        data = self.chunk(kind, name)
        if kind == NODE:
            data = self.between(unpacked(data), shape)
        elif kind == BRANCH:
            data = self.sequence(unpacked(data))
        checked(len(data) == length, "a length")
        return data

    def between(self, pieces: list[Any], shape: int) -> bytes:
        return ends(shape, 0)[1].join(self.joined(piece, shape) for piece in pieces)

    def count(self, pieces: list[Any]) -> int:
        """How many pieces there are after every node is replaced by what is in it."""
        nodes = [piece[1] for piece in pieces if not isinstance(piece, bytes) and piece[0] == NODE]
        inside = sum(self.count(unpacked(self.chunk(NODE, name))) for name in nodes)
        return len(pieces) - len(nodes) + inside

    def sequence(self, sequence: Any) -> bytes:
        shape, elements, length, spine, tail = sequence
        levels = unpacked(self.chunk(SPINE, spine)) if isinstance(spine, bytes) else spine
        pieces = [piece for level in reversed(levels) for piece in level] + tail
        checked(self.count(pieces) == elements, "a number of elements")
        first, _, last = ends(shape, elements)
        data = first + self.between(pieces, shape) + last
        checked(len(data) == length, "a length")
        return data

    def value(self, stored: Any) -> Any:
        tag, piece = stored
        return decoded(tag, self.joined(piece))


def decoded(tag: str, data: bytes) -> Any:
    """A value as the fixtures show it. The format does not say what the bytes mean."""
    return json.loads(data) if tag == "json" else {"$bytes": data.hex()}


def tuples(db: sqlite3.Connection) -> list[dict[str, Any]]:
    """Every checkpoint of every thread, in descending order of ids."""
    (newest,) = db.execute("SELECT max(format) FROM lg_format").fetchone()
    if newest > FORMAT:
        raise NewerFormatError(newest)
    rows = db.execute(
        "SELECT thread_key, thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, "
        "created_at, channels, metadata, envelope FROM lg_records JOIN lg_threads "
        "USING (thread_key) WHERE task_id = '' ORDER BY checkpoint_id DESC"
    )
    return [checkpoint(db, *row) for row in rows.fetchall()]


def checkpoint(
    db: sqlite3.Connection,
    key: int,
    thread_id: str,
    ns: str,
    id: str,
    parent: str | None,
    ts: str,
    channels: str,
    metadata: str | bytes,
    envelope: bytes,
) -> dict[str, Any]:
    thread = Thread(db, key)
    _, v, metadata_tag, rest, versions, values, link = opened(envelope, ts, metadata)
    named = (b"parent", parent) if parent is not None else (b"", b"")
    checked(mixed(thread_id, ns, id, *named, channels)[:8] == link, "a link")
    checked([channel for channel, _ in values] == json.loads(channels), "the channels")
    found = {channel: thread.value(stored) for channel, stored in values}
    channel_versions = dict(versions)
    if v < 4 and parent is not None:
        sends = writes(thread, thread_id, ns, parent)
        found["__pregel_tasks"] = [value for _, name, value in sends if name == "__pregel_tasks"]
        channel_versions["__pregel_tasks"] = max(channel_versions.values())

    def place(of: str) -> dict[str, str]:
        return {"thread_id": thread_id, "checkpoint_ns": ns, "checkpoint_id": of}

    bytes_of = metadata.encode() if isinstance(metadata, str) else metadata
    fields = {"v": v, "id": id, "ts": ts, **thread.value(rest)}
    return {
        "config": place(id),
        "checkpoint": fields | {"channel_values": found, "channel_versions": channel_versions},
        "metadata": decoded(metadata_tag, bytes_of),
        **({} if parent is None else {"parent_config": place(parent)}),
        "pending_writes": writes(thread, thread_id, ns, id),
    }


def writes(thread: Thread, thread_id: str, ns: str, id: str) -> list[list[Any]]:
    """The writes to a checkpoint: a task, a channel and a value each."""
    rows = thread.db.execute(
        "SELECT task_id, idx, task_path, channel, envelope FROM lg_records WHERE thread_key = ? "
        "AND checkpoint_ns = ? AND checkpoint_id = ? AND task_id <> '' "
        "ORDER BY task_path, task_id, idx",
        (thread.key, ns, id),
    ).fetchall()
    taken = {(task, idx) for task, idx, *_ in rows}
    pending = []
    for task, idx, path, channel, envelope in rows:
        columns = (thread_id, ns, id, task, pack("<q", idx), path, channel)
        _, stored, places, mark = opened(envelope, *columns)
        checked(mixed(channel)[:4] == mark, "a mark")
        of_call = [place for first, last in places for place in range(first, last + 1)]
        checked(all((task, place) in taken for place in of_call), "a missing write")
        pending.append([task, channel, thread.value(stored)])
    return pending
