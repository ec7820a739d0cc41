"""Faults on demand, the log, and databases on disk."""

from __future__ import annotations

import http.client
import json
import tempfile
from pathlib import Path

from local_kusto.cluster import Cluster

from .server import PROVISION, ServerTest

COUNT = "CheckpointLog | count"


class Faults(ServerTest):
    """Each kind, and when it hits."""

    def count(self) -> int:
        return self.query(COUNT)[0][0]

    def log(self) -> list[dict[str, object]]:
        return self.send("GET", f"/local/log?database={self.database}")

    def test_refusals_have_their_status_and_code(self) -> None:
        for kind, status, permanent in (
            ("throttled", 429, False),
            ("unavailable", 503, False),
            ("transient", 400, False),
            ("permanent", 400, True),
            ("streaming-off-cluster", 404, True),
            ("streaming-off-table", 400, True),
            ("too-large", 413, True),
            ("unauthorized", 401, True),
            ("forbidden", 403, True),
        ):
            with self.subTest(kind):
                self.plan({"kind": kind, "on": "ingest", "count": 1})
                refused = self.refused(self.ingest, [{"rev": 1}])
                self.assertEqual((refused.status, refused.error["@permanent"]), (status, permanent))
                self.assertEqual(self.count(), 0)

    def test_a_throttled_answer_says_when_to_come_back(self) -> None:
        self.plan({"kind": "throttled", "on": "any", "count": 1, "retry_after": 7})
        self.assertEqual(self.refused(self.query, COUNT).headers["Retry-After"], "7")

    def test_a_fault_hits_after_some_and_so_many_times(self) -> None:
        self.plan({"kind": "unavailable", "on": "query", "after": 1, "count": 2})
        outcomes = []
        for _ in range(4):
            try:
                self.query(COUNT)
                outcomes.append(200)
            except Exception:
                outcomes.append(503)
        self.assertEqual(outcomes, [200, 503, 503, 200])

    def test_a_seed_draws_the_same_faults_again(self) -> None:
        def hits() -> list[bool]:
            self.plan({"kind": "unavailable", "on": "query", "probability": 0.5}, seed=7)
            result = []
            for _ in range(12):
                try:
                    self.query(COUNT)
                    result.append(False)
                except Exception:
                    result.append(True)
            return result

        first = hits()
        self.assertEqual(hits(), first)
        self.assertEqual(set(first), {True, False})

    def test_a_partial_failure_has_the_status_200(self) -> None:
        for placement in ("end_of_dataset", "in_data"):
            self.plan({"kind": "partial", "on": "query", "count": 1, "placement": placement})
            frames = self.query_frames("print 1; print 2")
            self.assertTrue(frames[-1]["HasErrors"])
            self.assertFalse(frames[-1]["OneApiErrors"][0]["error"]["@permanent"])
            rows = frames[-3]["Rows"]
            self.assertEqual("OneApiErrors" in str(rows), placement == "in_data")

    def test_a_cut_comes_before_or_after_the_effect(self) -> None:
        for kind, stored in (("cut-before", 0), ("cut-after", 1), ("cut-during", 2)):
            with self.subTest(kind):
                self.plan({"kind": kind, "on": "ingest", "count": 1})
                with self.assertRaises((http.client.HTTPException, ConnectionError, OSError)):
                    self.ingest([{"rev": 1}])
                self._connection.close()
                self.assertEqual(self.count(), stored)

    def test_delayed_rows_show_after_some_queries(self) -> None:
        self.plan({"kind": "delayed", "on": "ingest", "count": 1, "queries": 2})
        self.ingest([{"rev": 1}])
        self.ingest([{"rev": 2}])
        self.assertEqual([self.count() for _ in range(4)], [1, 1, 2, 2])

    def test_delayed_rows_show_when_they_are_released(self) -> None:
        self.plan({"kind": "delayed", "on": "rows", "count": 1, "ms": 3_600_000})
        self.ingest([{"rev": 1}])
        self.assertEqual(self.count(), 0)
        self.send("POST", "/local/release", json.dumps({"database": self.database}).encode())
        self.assertEqual(self.count(), 1)

    def test_of_a_torn_batch_the_first_rows_show(self) -> None:
        self.plan({"kind": "torn", "on": "ingest", "count": 1, "rows": 2, "queries": 1})
        self.ingest([{"rev": rev} for rev in range(5)])
        found = self.query("CheckpointLog | order by rev asc | project rev")
        self.assertEqual(found, [[0], [1]])
        self.assertEqual(self.count(), 5)

    def test_rows_of_a_command_are_held_back_too(self) -> None:
        self.plan({"kind": "torn", "on": "inline", "rows": 1, "queries": 1})
        form = '(format="multijson", ingestionMappingReference="lg_json_v1")'
        lines = '{"rev":1}\n{"rev":2}'
        self.command(f".ingest inline into table CheckpointLog with {form} <|\n{lines}")
        self.assertEqual([self.count(), self.count()], [1, 2])

    def test_a_duplicated_batch_is_there_twice(self) -> None:
        self.plan({"kind": "duplicated", "on": "rows", "count": 2})
        self.ingest([{"rev": 1}, {"rev": 2}])
        self.command('.ingest inline into table CheckpointLog with (format="json") <| {"rev":3}')
        self.assertEqual(self.count(), 6)

    def test_one_database_has_its_own_faults(self) -> None:
        self.plan({"kind": "unavailable", "on": "any"})
        self.refused(self.query, COUNT)
        self.database += "-other"
        self.assertEqual(self.count(), 0)

    def test_a_fault_that_is_none_is_refused(self) -> None:
        self.assertEqual(self.refused(self.plan, {"kind": "nope", "on": "any"}).status, 400)
        self.assertEqual(self.refused(self.plan, {"kind": "torn", "on": "nope"}).status, 400)
        self.assertEqual(self.refused(self.set, nope=1).status, 400)

    def test_the_log_has_every_request_and_its_headers(self) -> None:
        self.token = "a-secret-token"
        self.ingest([{"rev": 1, "data": "text"}])
        self.plan({"kind": "throttled", "on": "query", "count": 1})
        self.refused(self.query, COUNT)
        ingest, query = self.log()
        self.assertIn('"data": "text"', ingest["text"])
        self.assertEqual((ingest["place"], ingest["rows"], ingest["status"]), ("ingest", 1, 200))
        self.assertLess(ingest["wire_bytes"], ingest["body_bytes"] + 40)
        self.assertEqual(ingest["headers"]["authorization"], "Bearer a-secret-token")
        self.assertEqual(
            (query["text"], query["fault"], query["status"]), (COUNT, "throttled", 429)
        )
        self.send("DELETE", f"/local/log?database={self.database}")
        self.assertEqual(self.log(), [])

    def test_a_database_on_disk_outlives_its_server(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            for expected in (1, 2):
                cluster = Cluster(Path(folder), PROVISION)
                database = cluster.database("kept")
                database.insert("CheckpointLog", [[None] * 25])
                rows = database.query("LatestCheckpoints | count; CheckpointLog | count", {})
                self.assertEqual(rows[1].rows, [(expected,)])
                cluster.close()
