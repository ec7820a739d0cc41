"""Reads and writes a database with Microsoft's client.

    python client.py provision ../../provision.kql   runs the script
    python client.py checkpoints THREAD           prints its live checkpoints, a JSON object each
    python client.py copy THREAD OTHER TABLE      streams its rows into a table as another's

The cluster and the database are those of KUSTO_CLUSTER_URI and KUSTO_DATABASE. With
KUSTO_ACCESS_TOKEN its token is sent.
"""

from __future__ import annotations

import datetime
import gzip
import io
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

from azure.kusto.data import (
    ClientRequestProperties,
    DataFormat,
    KustoClient,
    KustoConnectionStringBuilder,
)

DATABASE = os.environ.get("KUSTO_DATABASE", "NetDefaultDB")
TABLE = os.environ.get("KUSTO_TABLE", "CheckpointLog")


def connect() -> KustoClient:
    """A client of the cluster that the environment names."""
    cluster = os.environ["KUSTO_CLUSTER_URI"]
    token = os.environ.get("KUSTO_ACCESS_TOKEN")
    if not token:
        return KustoClient(cluster)
    return KustoClient(
        KustoConnectionStringBuilder.with_aad_application_token_authentication(cluster, token)
    )


def query(client: KustoClient, text: str, **parameters: str) -> list[dict[str, Any]]:
    """The rows of a query's first result."""
    properties = ClientRequestProperties()
    for name, value in parameters.items():
        properties.set_parameter(name, value)
    result = client.execute_query(DATABASE, text, properties).primary_results[0]
    dynamic = [one.column_name for one in result.columns if one.column_type == "dynamic"]
    rows = [row.to_dict() for row in result.rows]
    for row in rows:
        # Clusters return dynamic values as JSON, or as JSON text.
        row.update({name: json.loads(row[name]) for name in dynamic if isinstance(row[name], str)})
    return rows


def rows_of(client: KustoClient, thread: str) -> list[dict[str, Any]]:
    """Every row of a thread, in the order of the log."""
    text = f"declare query_parameters(thread:string);\n{TABLE} | where thread_id == thread"
    return query(client, f"{text} | order by rev asc, part desc", thread=thread)


def checkpoints(client: KustoClient, thread: str) -> list[dict[str, Any]]:
    """The live checkpoints of a thread, the newest first."""
    text = "declare query_parameters(thread:string);\nLiveCheckpoints() | where thread_id == thread"
    return query(client, f"{text} | order by checkpoint_id desc", thread=thread)


def ingest(client: KustoClient, rows: list[dict[str, Any]], table: str = TABLE) -> None:
    """Streams rows."""
    lines = "\n".join(json.dumps(row, default=_plain) for row in rows)
    client.execute_streaming_ingest(
        DATABASE,
        table,
        # The client declares the stream compressed, and leaves the compression to its caller.
        io.BytesIO(gzip.compress(lines.encode())),
        None,
        DataFormat.MULTIJSON.kusto_value,
        None,
        mapping_name="lg_json_v1",
    )


def provision(client: KustoClient, path: str) -> None:
    """Runs the commands of a file, which blank lines separate."""
    blocks = re.split(r"\n\s*\n", Path(path).read_text("utf-8"))
    for block in blocks:
        if re.sub(r"^\s*//.*$", "", block, flags=re.MULTILINE).strip():
            client.execute_mgmt(DATABASE, block.strip())


def _copied(row: dict[str, Any], thread: str) -> dict[str, Any]:
    """A copy of the row for another thread, with its own id."""
    return {**row, "thread_id": thread, "row_id": f"copy-{row['row_id']}"}


def _plain(value: Any) -> str:
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    raise TypeError(type(value).__name__)


def main(arguments: list[str]) -> None:
    """Runs the command of the command line."""
    client = connect()
    match arguments:
        case ["provision", path]:
            provision(client, path)
        case ["checkpoints", thread]:
            for row in checkpoints(client, thread):
                print(json.dumps(row, default=_plain))
        case ["copy", thread, other, table]:
            ingest(client, [_copied(row, other) for row in rows_of(client, thread)], table)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
