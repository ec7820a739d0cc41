"""Everything that the guest sends runs here: each text of tests/goldens/kusto."""

from __future__ import annotations

import random
import re
from typing import Any

from local_kusto.cluster import Cluster
from local_kusto.ingestion import read_rows

from .server import PROVISION, ROOT, ServerTest, lines

GOLDENS = sorted((ROOT / "tests" / "goldens" / "kusto").glob("*.kql"))
#: A value for each type of parameter.
VALUES: dict[str, Any] = {
    "string": '"x"',
    "long": 1,
    "real": "real(1.5)",
    "dynamic": 'dynamic(["x"])',
}
PAGE = (ROOT / "tests" / "goldens" / "kusto" / "get_tuple_latest.1.kql").read_text("utf-8")
PAGE_VALUES = {"p_ns": '""', "p_count": 1, "p_thread": '"t"', "p_have": "dynamic([])"}


def random_rows(draw: random.Random) -> list[dict[str, Any]]:
    """Rows of one thread that refer to each other in levels, some of them missing."""
    rows = []
    for number in range(draw.randrange(12)):
        kind = draw.choice(["checkpoint", "write", "chunk", "chunk"])
        refs = [f"h{draw.randrange(8)}" for _ in range(draw.randrange(3))]
        row = {"kind": kind, "thread_id": draw.choice("tu"), "refs": refs, "part": 0, "parts": 1}
        is_chunk = kind == "chunk"
        row.update({"hash": f"h{number}"} if is_chunk else {"checkpoint_id": draw.choice("ab")})
        rows.append({**row, "rev": draw.randrange(20), "row_id": f"r{number}"})
    return rows


class Goldens(ServerTest):
    """Every query and command."""

    def test_what_is_left_out_for_being_empty_would_have_been(self) -> None:
        for seed in range(12):
            rows = lines(random_rows(random.Random(seed)))
            # Of the whole thread, of a checkpoint, or none.
            place = {"checkpoint_id": "a"} if seed % 2 else {}
            dead = lines([{"thread_id": "t", "rev": seed, **place}] if seed % 3 else [])
            found = []
            # A server that has run the query before knows which steps it can skip.
            fresh = Cluster(None, PROVISION)
            self.addCleanup(fresh.close)
            for cluster in (self.cluster, fresh):
                database = cluster.database(f"seed{seed}")
                table = database.catalog.table("CheckpointLog")
                database.insert(table.name, read_rows(table, rows, "multijson", "lg_json_v1"))
                tombstones = database.catalog.table("CheckpointLog_Tombstones")
                database.insert(
                    tombstones.name, read_rows(tombstones, dead, "multijson", "lg_json_v2")
                )
                results = database.query(PAGE, dict(PAGE_VALUES))
                found.append([sorted(result.rows, key=str) for result in results])
            with self.subTest(seed):
                self.assertEqual(*found)

    def test_every_text_of_the_guest_runs(self) -> None:
        self.assertNotEqual(GOLDENS, [])
        # The name of the table is an option of the saver.
        self.command(PROVISION.replace("CheckpointLog", "Other_Log"))
        for golden in GOLDENS:
            with self.subTest(golden.name):
                text = golden.read_text("utf-8")
                if text.startswith("."):
                    self.command(text)
                    continue
                declared = re.search(r"query_parameters\(([^)]*)\)", text)
                names = re.findall(r"(\w+):(\w+)", declared[1]) if declared else []
                self.query(text, **{name: VALUES[kind] for name, kind in names})
