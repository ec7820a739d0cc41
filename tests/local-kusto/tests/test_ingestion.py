"""Ingestion, and the limits that the service enforces silently."""

from __future__ import annotations

import json

from .server import ServerTest

MEBIBYTE = 1 << 20


class Ingestion(ServerTest):
    """Streams and commands."""

    def stored(self, columns: str, rev: int = 1) -> list[object]:
        [row] = self.query(f"CheckpointLog | where rev == {rev} | project {columns}")
        return row

    def test_fields_go_to_the_columns_of_their_names(self) -> None:
        self.ingest([{"rev": 1, "thread_id": "a", "Thread_Id": "b", "unknown": 1, "idx": -3}])
        self.assertEqual(self.stored("thread_id, idx, step, run_id"), ["a", -3, None, ""])

    def test_a_value_of_another_type_is_null(self) -> None:
        self.ingest([{"rev": 1, "step": "x", "idx": 1.5, "created_at": "now()", "data": {"a": 1}}])
        self.assertEqual(self.stored("step, idx, created_at, data"), [None, None, None, '{"a":1}'])

    def test_text_over_a_mebibyte_is_cut_off_without_a_word(self) -> None:
        text = "\u00e9" * (MEBIBYTE // 2) + "xyz"
        self.ingest([{"rev": 1, "channel": text, "data": text}])
        self.assertEqual(self.stored("strlen(channel)"), [MEBIBYTE // 2])
        # This column's encoding allows more.
        self.assertEqual(self.stored("data"), [text])

    def test_a_dynamic_value_over_a_mebibyte_is_null(self) -> None:
        self.ingest([{"rev": 1, "metadata": {"a": "x" * MEBIBYTE}, "state": {"a": "x"}}])
        self.assertEqual(self.stored("metadata, state"), [None, '{"a":"x"}'])

    def test_what_is_no_utf_8_is_replaced(self) -> None:
        self.ingest(b'{"rev":1,"data":"a\xff\\ud800"}')
        self.assertEqual(self.stored("data"), ["a\ufffd\ufffd"])

    def test_many_rows_are_stored_as_few_are(self) -> None:
        row = {
            "data": '\u2028"\\',
            "state": {"a": [1, "\u00e9", None]},
            "created_at": "2026-01-01T00:00:00.1234567Z",
            "rev": (1 << 62) + 1,
        }
        self.ingest([{"thread_id": "few", **row}])
        self.ingest([{"thread_id": "many", **row}] * 50)
        counted = self.query(
            "CheckpointLog | extend text = tostring(state)"
            " | summarize count() by data, text, created_at, rev, idx, channel"
        )
        self.assertEqual([found[-1] for found in counted], [51])
        self.assertEqual(counted[0][3], row["rev"])

    def test_a_null_character_stays(self) -> None:
        self.ingest([{"rev": 1, "data": "a\0b", "state": {"x": "a\0b"}}])
        self.assertEqual(self.stored("data, state"), ["a\0b", '{"x":"a\\u0000b"}'])

    def test_a_request_over_4_mib_is_refused_whole(self) -> None:
        refused = self.refused(self.ingest, [{"rev": 1, "data": "x" * (4 * MEBIBYTE)}])
        self.assertEqual(
            (refused.status, refused.error["code"]), (413, "Stream_InputStreamTooLarge")
        )
        self.assertEqual(self.query("CheckpointLog | count"), [[0]])

    def test_a_table_takes_streams_only_with_the_policy(self) -> None:
        self.command(".alter table CheckpointLog policy streamingingestion disable")
        refused = self.refused(self.ingest, [{"rev": 1}])
        code = "BadRequest_StreamingIngestionPolicyNotEnabled"
        self.assertEqual((refused.status, refused.error["code"]), (400, code))
        self.command(".alter database langgraph policy streamingingestion enable")
        self.assertEqual(self.refused(self.ingest, [{"rev": 1}]).status, 400)
        self.command(".delete table CheckpointLog policy streamingingestion")
        self.ingest([{"rev": 1}])

    def test_an_unknown_table_or_mapping_is_an_error(self) -> None:
        refused = self.refused(self.ingest, [{"rev": 1}], table="Nope")
        self.assertEqual(refused.error["code"], "BadRequest_EntityNotFound")
        refused = self.refused(self.ingest, [{}], query="streamFormat=JSON&mappingName=nope")
        self.assertEqual(refused.error["code"], "BadRequest_MappingReferenceWasNotFound")

    def test_broken_json_stores_nothing(self) -> None:
        refused = self.refused(self.ingest, b'{"rev":1}\n{"rev":')
        self.assertEqual((refused.status, refused.error["@permanent"]), (400, True))
        self.assertEqual(self.query("CheckpointLog | count"), [[0]])

    def test_rows_come_in_by_a_command_too(self) -> None:
        line = json.dumps({"rev": 1, "thread_id": 'a"<|;\n\n.drop table x', "state": {"b": [1]}})
        form = '(format="multijson", ingestionMappingReference="lg_json_v1")'
        self.command(f".ingest inline into table ['CheckpointLog'] with {form} <|\n{line}\n{line}")
        found = self.query("CheckpointLog | project thread_id, tostring(state.b)")
        self.assertEqual(found, [['a"<|;\n\n.drop table x', "[1]"]] * 2)

    def test_rows_of_a_query_are_appended_by_place(self) -> None:
        self.command(".create table T (a: string, b: long)")
        self.command('.append T <| print x = "1", y = 2')
        self.command(".set-or-append T <| T | extend b = b + 1")
        self.assertEqual(self.query("T | order by b asc"), [["1", 2], ["1", 3]])
