"""A server for tests, and a client that only uses HTTP."""

from __future__ import annotations

import gzip
import http.client
import itertools
import json
import threading
import unittest
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from local_kusto.cluster import Cluster
from local_kusto.server import LocalKusto

ROOT = Path(__file__).resolve().parents[3]
PROVISION = (ROOT / "provision.kql").read_text("utf-8")
_numbers = itertools.count()


def lines(rows: list[dict[str, Any]]) -> bytes:
    """A JSON object on each line."""
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()


class Refused(Exception):
    """An answer with another status than 200."""

    def __init__(self, status: int, body: Any, headers: dict[str, str]) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.error = (body or {}).get("error", {})
        self.headers = headers


class ServerTest(unittest.TestCase):
    """A test with a server, and its own database."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.cluster = Cluster(None, PROVISION)
        cls.server = LocalKusto(0, cls.cluster)
        thread = threading.Thread(target=cls.server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        cls.addClassCleanup(cls.cluster.close)
        cls.addClassCleanup(cls.server.server_close)
        cls.addClassCleanup(thread.join)
        cls.addClassCleanup(cls.server.shutdown)

    def setUp(self) -> None:
        self.database = f"db{next(_numbers)}"
        self.token: str | None = None
        self._connection = http.client.HTTPConnection(urlsplit(self.server.url).netloc, timeout=60)
        self.addCleanup(self._connection.close)

    def send(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Any:
        """Sends a request. Returns the JSON of the response."""
        given = {"authorization": f"Bearer {self.token}"} if self.token else {}
        self._connection.request(method, path, body, {**given, **(headers or {})})
        response = self._connection.getresponse()
        read = json.loads(response.read())
        if response.status != 200:
            raise Refused(response.status, read, dict(response.getheaders()))
        return read

    def query_frames(self, text: str, options: dict[str, Any] | None = None, **values: Any) -> Any:
        """The frames of a query."""
        properties = {"Options": options or {}, "Parameters": values}
        body = {"db": self.database, "csl": text, "properties": properties}
        return self.send("POST", "/v2/rest/query", json.dumps(body).encode())

    def query(self, text: str, **values: Any) -> list[list[Any]]:
        """The rows of the first result of a query."""
        return self.results(text, **values)[0]

    def results(self, text: str, **values: Any) -> list[list[list[Any]]]:
        """The rows of every result of a query."""
        frames = self.query_frames(text, **values)
        self.assertFalse(frames[-1]["HasErrors"], frames[-1])
        return [one["Rows"] for one in frames if one.get("TableKind") == "PrimaryResult"]

    def command(self, text: str) -> list[list[Any]]:
        """The rows of a command's result."""
        body = json.dumps({"db": self.database, "csl": text}).encode()
        return self.send("POST", "/v1/rest/mgmt", body)["Tables"][0]["Rows"]

    def ingest(
        self,
        rows: list[dict[str, Any]] | bytes,
        table: str = "CheckpointLog",
        query: str | None = None,
    ) -> Any:
        """Streams rows."""
        if query is None:
            version = 2 if table.endswith("_Tombstones") else 1
            query = f"streamFormat=MultiJSON&mappingName=lg_json_v{version}"
        data = rows if isinstance(rows, bytes) else lines(rows)
        path = f"/v1/rest/ingest/{self.database}/{table}?{query}"
        return self.send("POST", path, gzip.compress(data), {"content-encoding": "gzip"})

    def set(self, **settings: Any) -> None:
        """Changes settings of the database."""
        body = {"database": self.database, **settings}
        self.send("POST", "/local/settings", json.dumps(body).encode())

    def plan(self, *faults: dict[str, Any], seed: int = 0) -> None:
        """Gives the database faults."""
        body = {"database": self.database, "seed": seed, "faults": faults}
        self.send("POST", "/local/faults", json.dumps(body).encode())

    def refused(self, call: Any, *arguments: Any, **named: Any) -> Refused:
        """Checks that a call is refused. Returns the refusal."""
        with self.assertRaises(Refused) as caught:
            call(*arguments, **named)
        return caught.exception
