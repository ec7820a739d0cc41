"""The reader reads the databases that this repository's hosts have stored."""

import json
import sqlite3
import unittest
from pathlib import Path
from typing import Any

from reader import DamagedError, NewerFormatError, tuples

FIXTURE = Path(__file__).parent.parent / "fixtures" / "v1"


def database() -> sqlite3.Connection:
    """A copy of the fixture, in memory."""
    copy = sqlite3.connect(":memory:")
    path = FIXTURE / "checkpoints.sqlite"
    sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True).backup(copy)
    return copy


def by_place(all_tuples: list[dict[str, Any]]) -> dict[tuple[str, ...], dict[str, Any]]:
    return {tuple(one["config"].values()): one for one in all_tuples}


class Reader(unittest.TestCase):
    def test_every_checkpoint_of_the_fixture_is_read_as_the_hosts_read_it(self) -> None:
        expected = json.loads((FIXTURE / "expected.json").read_text())["list"]["tuples"]
        found = tuples(database())
        self.assertEqual(len(found), len(expected))
        self.assertEqual(by_place(found), by_place(expected))

    def test_a_changed_byte_of_a_chunk_or_an_envelope_is_found(self) -> None:
        for table, column in (("lg_chunks", "data"), ("lg_records", "envelope")):
            db = database()
            changed = f"CAST(substr({column}, 1, 40) || x'00' || substr({column}, 42) AS BLOB)"
            db.execute(f"UPDATE {table} SET {column} = {changed}")
            with self.assertRaises(DamagedError):
                tuples(db)

    def test_a_record_that_was_moved_is_found(self) -> None:
        for column in ("checkpoint_ns", "parent_checkpoint_id", "channel", "task_path"):
            db = database()
            db.execute(f"UPDATE lg_records SET {column} = {column} || 'x'")
            with self.assertRaises(DamagedError, msg=column):
                tuples(db)

    def test_a_newer_format_is_refused(self) -> None:
        for change in (
            "UPDATE lg_format SET format = 2",
            "UPDATE lg_records SET envelope = CAST(x'9702' || substr(envelope, 3) AS BLOB)",
        ):
            db = database()
            db.execute(change)
            with self.assertRaises(NewerFormatError):
                tuples(db)


if __name__ == "__main__":
    unittest.main()
