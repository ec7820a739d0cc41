"""provision.kql, its functions, and every query of the documents, on rows of the table."""

from __future__ import annotations

import datetime
import json
import re
from typing import Any

from .server import PROVISION, ROOT, ServerTest

DOCUMENTS = ["kusto.md", "kusto-operations.md"]
#: Commands that the local server lacks: it has no log of queries, no principals and no purge.
ELSEWHERE = (".show queries", ".purge", ".alter table CheckpointLog policy row_level_security")
BLOCKS = [
    (match["title"], block)
    for match in re.finditer(
        r"(?P<title>[^\n]+)\n\n\s*```kql\n(?P<text>.*?)```",
        "\n".join((ROOT / "docs" / name).read_text("utf-8") for name in DOCUMENTS),
        re.DOTALL,
    )
    for block in re.split(r"\n\s*\n", match["text"].strip())
]
QUERIES = [(title, block) for title, block in BLOCKS if not block.strip().startswith(".")]
COMMANDS = [
    block.strip()
    for _, block in BLOCKS
    if block.strip().startswith(".") and not block.strip().startswith(ELSEWHERE)
]


def row(kind: str, thread: str, rev: int, **columns: Any) -> dict[str, Any]:
    """A row as the saver sends it."""
    moment = datetime.datetime.now(datetime.UTC) + datetime.timedelta(milliseconds=rev)
    return {
        "kind": kind,
        "thread_id": thread,
        "idx": 0,
        "encoding": "text",
        "data": "",
        "part": 0,
        "parts": 1,
        "created_at": moment.isoformat().replace("+00:00", "Z"),
        "rev": rev,
        "row_id": f"row-{rev}",
        "format": 1,
        **columns,
    }


def checkpoint(thread: str, rev: int, **columns: Any) -> dict[str, Any]:
    """A checkpoint whose id and step are its number."""
    step = columns.get("step", rev)
    metadata = {"source": "loop", "step": step, "user_id": "ada"}
    given = {"checkpoint_id": f"{rev:04}", "run_id": "run-1", "source": "loop", "step": step}
    return row("checkpoint", thread, rev, **{"metadata": metadata, **given, **columns})


LISBON, PORTO = "trip-to-lisbon", "trip-to-porto"
MESSAGE = '{"lc":1,"type":"constructor","id":["langchain_core","HumanMessage"],"kwargs":%s}'
ROWS = [
    checkpoint(LISBON, 1, state={"budget": 100}, channels=["budget"]),
    row("chunk", LISBON, 2, hash="h1", data=MESSAGE % '{"content":"hi"}'),
    checkpoint(
        LISBON,
        3,
        parent_checkpoint_id="0001",
        state={"budget": 250.5, "plan": {"days": [1, 2]}},
        channels=["budget", "messages", "plan"],
        refs=["h1"],
    ),
    row("write", LISBON, 4, checkpoint_id="0003", task_id="t", channel="__interrupt__", idx=-3),
    row("write", LISBON, 5, checkpoint_id="0001", task_id="t", channel="__error__", idx=-1),
    checkpoint(PORTO, 6, state={"budget": 1}, channels=["budget"]),
]
DELETED = row("tombstone", PORTO, 7)
GUIDE = (ROOT / "tests" / "goldens" / "kusto-guide.kql").read_text("utf-8")


class Documents(ServerTest):
    """What people run by hand."""

    def setUp(self) -> None:
        super().setUp()
        self.ingest([*ROWS, ROWS[0]])
        self.ingest([DELETED], "CheckpointLog_Tombstones")

    def policies(self) -> list[str]:
        """The policies of the tables."""
        kinds = ("streamingingestion", "caching", "retention", "roworder")
        tables = ("CheckpointLog", "CheckpointLog_Tombstones")
        shown = [f".show table {table} policy {kind}" for table in tables for kind in kinds]
        return [self.command(text)[0][2] for text in shown]

    def test_provisioning_twice_changes_nothing(self) -> None:
        shown = ".show database schema", ".show functions", ".show materialized-views"
        before = [self.command(text) for text in shown], self.policies()
        self.assertNotIn("null", before[1][:3])
        self.command(f".execute database script <|\n{PROVISION}")
        self.assertEqual(([self.command(text) for text in shown], self.policies()), before)
        self.assertEqual(self.query("CheckpointLog | count"), [[len(ROWS) + 1]])

    def test_provisioning_again_leaves_the_policies_that_somebody_set(self) -> None:
        for table in ("CheckpointLog", "CheckpointLog_Tombstones"):
            for policy in (
                "retention softdelete = 3650d recoverability = enabled",
                "caching hot = 7d",
                "streamingingestion disable",
                "roworder (created_at asc)",
            ):
                verb = "alter-merge" if policy.startswith("retention") else "alter"
                self.command(f".{verb} table {table} policy {policy}")
        before = self.policies()
        self.assertEqual(json.loads(before[2])["SoftDeletePeriod"], "3650.00:00:00")
        self.command(f".execute database script <|\n{PROVISION}")
        self.assertEqual(self.policies(), before)

    def test_two_tables_of_a_database_do_not_disturb_each_other(self) -> None:
        functions = self.command(".show functions")
        self.command(f".execute database script <|\n{PROVISION.replace('CheckpointLog', 'Other')}")
        shown = [row for row in self.command(".show functions") if not row[0].startswith("Other_")]
        self.assertEqual(shown, functions)
        self.ingest([checkpoint("others", 8)], "Other")
        self.ingest([row("tombstone", LISBON, 9)], "Other_Tombstones")
        threads = "| distinct thread_id"
        for name in ("LiveCheckpoints()", "Checkpoints", "CheckpointLog_LiveCheckpoints()"):
            self.assertEqual(self.query(f"{name} {threads}"), [[LISBON]])
        for name in ("Other_LiveCheckpoints()", "Other_LatestCheckpoints"):
            self.assertEqual(self.query(f"{name} {threads}"), [["others"]])

    def test_the_queries_of_the_guide_run_as_written(self) -> None:
        most_active, growth, with_metadata = re.split(r"\n\s*\n", GUIDE.strip())
        self.assertEqual(self.query(most_active), [[LISBON, 2]])
        self.assertEqual(sum(count for _, count in self.query(growth)), 2)
        found = self.query(with_metadata)
        self.assertEqual(sorted(row[:2] for row in found), [[LISBON, "0001"], [LISBON, "0003"]])
        self.ingest([row("write", LISBON, 9, checkpoint_id="0003", task_id="u", channel="x")])
        columns = "thread_id, checkpoint_ns, checkpoint_id, task_id, task_path, idx, channel, value"
        asked = f"CheckpointWrites | where channel == 'x' | project {columns}, created_at"
        self.assertEqual(len(self.query(asked)), 1)

    def test_a_time_leaves_out_what_was_put_before_it(self) -> None:
        self.ingest([checkpoint(LISBON, 90_000)])
        self.assertEqual(self.query("LiveCheckpoints(now(30s)) | project rev"), [[90_000]])
        self.assertEqual(self.query("LiveWrites(now(30s))"), [])
        steps = self.query("LatestState(now(30s)) | distinct step")
        self.assertEqual(steps, [[90_000]])

    def test_every_query_of_the_documents_finds_something(self) -> None:
        self.assertGreater(len(QUERIES), 12)
        for title, text in QUERIES:
            with self.subTest(title):
                self.assertNotEqual(self.query(text), [])

    def test_every_command_of_the_documents_runs(self) -> None:
        for text in COMMANDS:
            with self.subTest(text):
                self.command(text)

    def test_deleted_threads_are_left_out(self) -> None:
        threads = self.query("LiveCheckpoints() | distinct thread_id")
        self.assertEqual(threads, [[LISBON]])
        self.ingest([row("write", PORTO, 5, checkpoint_id="0006", task_id="t", channel="x")])
        threads = self.query("LiveWrites() | distinct thread_id")
        self.assertEqual(threads, [[LISBON]])

    def test_pruned_checkpoints_are_left_out_with_their_writes_and_can_be_removed(self) -> None:
        pruned = row("tombstone", LISBON, 8, checkpoint_id="0001")
        self.ingest([pruned], "CheckpointLog_Tombstones")
        # What is put again shows, and so does a checkpoint of that id in another namespace.
        self.ingest([checkpoint(LISBON, 9, checkpoint_id="0001", checkpoint_ns="child")])
        found = "| project checkpoint_ns, checkpoint_id | order by checkpoint_id asc"
        left = [["child", "0001"], ["", "0003"]]
        self.assertEqual(self.query(f"LiveCheckpoints() {found}"), left)
        self.assertEqual(self.query(f"LiveWrites() {found}"), [["", "0003"]])
        records = "CheckpointLog | where ['kind'] != 'chunk' and thread_id == '" + LISBON + "'"
        before = len(self.query(f"{records} | distinct row_id"))
        (removal,) = [text for text in COMMANDS if "checkpoint_id in" in text]
        self.command(removal)
        self.assertEqual(len(self.query(f"{records} | distinct row_id")), before - 2)
        self.assertEqual(self.query(f"LiveCheckpoints() {found}"), left)

    def test_a_thread_made_again_after_its_deletion_shows(self) -> None:
        self.ingest([checkpoint(PORTO, 8)])
        found = self.query("LiveCheckpoints() | where thread_id == 'trip-to-porto' | project rev")
        self.assertEqual(found, [[8]])

    def test_the_last_put_of_a_checkpoint_counts(self) -> None:
        self.ingest([checkpoint(LISBON, 9, checkpoint_id="0001", step=-1)])
        found = self.query("LiveCheckpoints() | where checkpoint_id == '0001' | project rev, step")
        self.assertEqual(found, [[9, -1]])

    def test_the_first_regular_write_and_the_last_special_one_count(self) -> None:
        def write(rev: int, idx: int) -> dict[str, Any]:
            return row("write", LISBON, rev, checkpoint_id="0003", task_id="u", idx=idx)

        self.ingest([write(10, 0), write(11, 0), write(12, -3), write(13, -3)])
        found = self.query("LiveWrites() | where task_id == 'u' | project idx, rev | order by idx")
        self.assertEqual(sorted(found), [[-3, 13], [0, 10]])

    def test_the_state_has_every_channel_and_the_values_that_are_small(self) -> None:
        found = self.query("LatestState() | project channel, value | order by channel asc")
        self.assertEqual(
            found, [["budget", "250.5"], ["messages", None], ["plan", '{"days":[1,2]}']]
        )

    def test_elements_come_in_order_and_once(self) -> None:
        later = [("h2", 20, '"b"'), ("h3", 21, '"c"'), ("h2", 22, '"b"')]
        self.ingest([row("chunk", LISBON, rev, hash=h, data=data) for h, rev, data in later])
        found = self.query(f"ThreadElements('{LISBON}') | project hash")
        self.assertEqual(found, [["h1"], ["h2"], ["h3"]])

    def test_a_deletion_by_hand_ends_the_thread_in_the_view_too(self) -> None:
        query = "CheckpointLog_LatestCheckpoints | distinct thread_id | order by thread_id asc"
        self.assertEqual(self.query(query), [[LISBON], [PORTO]])
        by_thread = [text for text in COMMANDS if 'thread_id == "trip-to-porto"' in text]
        table, view = [text for text in by_thread if text.startswith(".delete")]
        self.command(table)
        self.assertEqual(self.query(query), [[LISBON], [PORTO]])
        self.command(view)
        self.assertEqual(self.query(query), [[LISBON]])
