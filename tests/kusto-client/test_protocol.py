"""Microsoft's client understands the local server, so the server speaks the protocol."""

from __future__ import annotations

import json
import os
import unittest
import urllib.parse
import urllib.request
import uuid
from typing import Any

from azure.kusto.data.exceptions import KustoApiError, KustoThrottlingError

import client as ours

#: Only the local server has these endpoints.
LOCAL = urllib.parse.urlsplit(os.environ["KUSTO_CLUSTER_URI"]).hostname == "127.0.0.1"
only_local = unittest.skipUnless(LOCAL, "only the local server fails on demand")


class Protocol(unittest.TestCase):
    """Types, parameters, errors, streams."""

    def setUp(self) -> None:
        self.client = ours.connect()
        self.addCleanup(self.client.close)

    def query(self, text: str, **parameters: str) -> list[dict[str, Any]]:
        return ours.query(self.client, text, **parameters)

    def fault(self, kind: str, on: str) -> None:
        """Makes the next request fail."""
        plan = {"database": ours.DATABASE, "faults": [{"kind": kind, "on": on, "count": 1}]}
        url = os.environ["KUSTO_CLUSTER_URI"] + "/local/faults"
        urllib.request.urlopen(url, json.dumps(plan).encode()).close()

    def test_every_type_arrives_as_it_is(self) -> None:
        [row] = self.query(
            "print s = 'a', l = 9007199254740993, i = int(1), r = 0.5, b = true, "
            "d = dynamic({'k': [1]}), t = datetime(2026-01-02 03:04:05.1234567), z = 90m"
        )
        self.assertEqual((row["s"], row["l"], row["i"], row["r"]), ("a", 9007199254740993, 1, 0.5))
        self.assertEqual((row["b"], row["d"]), (True, {"k": [1]}))
        self.assertEqual(row["t"].isoformat()[:23], "2026-01-02T03:04:05.123")
        self.assertEqual(row["z"].total_seconds(), 5400)

    def test_parameters_are_values_and_no_text(self) -> None:
        for value in ('a" or 1 == 1', "'; .drop table T //", "\\", "\u2028\n"):
            text = "declare query_parameters(p:string); print p"
            self.assertEqual(list(self.query(text, p=value)[0].values()), [value])

    def test_an_unknown_table_is_a_semantic_error(self) -> None:
        with self.assertRaises(KustoApiError) as caught:
            self.query("NoSuchTable | take 1")
        self.assertTrue(caught.exception.error.permanent)
        self.assertIn("NoSuchTable", caught.exception.error.description)

    @only_local
    def test_throttling_is_told_from_other_errors(self) -> None:
        self.fault("throttled", "query")
        with self.assertRaises(KustoThrottlingError):
            self.query("print 1")

    @only_local
    def test_a_partial_failure_counts_as_one(self) -> None:
        self.fault("partial", "query")
        response = self.client.execute_query(ours.DATABASE, "print 1")
        self.assertEqual(response.errors_count, 1)

    def test_what_is_streamed_is_read_back(self) -> None:
        thread = f"thread-{uuid.uuid4()}"
        row = {"kind": "chunk", "thread_id": thread, "data": "\u2028\"'", "rev": 1 << 60}
        ours.ingest(self.client, [{**row, "refs": ["a"], "created_at": "2026-01-01T00:00:00Z"}])
        [read] = ours.rows_of(self.client, thread)
        self.assertEqual({name: read[name] for name in row}, row)
        self.assertEqual(read["refs"], ["a"])

    @unittest.skipUnless(LOCAL, "provisioning a cluster is left to its administrator")
    def test_a_database_is_provisioned_again(self) -> None:
        before = self.query(f"{ours.TABLE} | getschema")
        ours.provision(self.client, "../../provision.kql")
        self.assertEqual(self.query(f"{ours.TABLE} | getschema"), before)


if __name__ == "__main__":
    unittest.main()
