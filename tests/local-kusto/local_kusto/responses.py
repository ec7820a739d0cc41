"""Results in the two versions of the protocol, within the service's limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .catalog import DATA_TYPES
from .database import RowSet
from .values import show

ROWS_MAX = 500_000
RESULT_BYTES_MAX = 64 << 20


@dataclass
class Table:
    """A result as JSON."""

    columns: list[tuple[str, str]]
    rows: list[list[Any]]


@dataclass
class PartialFailure:
    """An error after the status has been sent."""

    code: str
    message: str
    permanent: bool
    kind: str = "KustoDataStreamException"
    #: Whether it is among the rows, instead of at the end.
    in_data: bool = False

    def error(self) -> dict[str, Any]:
        """The error as the protocol writes it."""
        return {
            "error": {
                "code": self.code,
                "message": "Request is invalid and cannot be executed.",
                "@type": f"Kusto.Data.Exceptions.{self.kind}",
                "@message": self.message,
                "@context": {"serviceAlias": "LOCAL"},
                "@permanent": self.permanent,
            }
        }


def as_tables(
    results: list[RowSet], options: dict[str, Any], dynamic_as_text: bool
) -> tuple[list[Table], PartialFailure | None]:
    """The results, up to the limit of one request."""
    rows_max = int(options.get("truncationmaxrecords") or ROWS_MAX)
    bytes_max = int(options.get("truncationmaxsize") or RESULT_BYTES_MAX)
    if options.get("notruncation"):
        rows_max = bytes_max = 1 << 62
    tables: list[Table] = []
    rows_count = bytes_count = 0
    for result in results:
        table = Table(result.columns, [])
        tables.append(table)
        for row in result.rows:
            shown = [
                show(value, kind, dynamic_as_text)
                for value, (_, kind) in zip(row, result.columns, strict=True)
            ]
            rows_count += 1
            bytes_count += sum(len(value) if isinstance(value, str) else 8 for value in shown)
            if rows_count > rows_max or bytes_count > bytes_max:
                exceeded = f"{rows_max} records" if rows_count > rows_max else f"{bytes_max} bytes"
                return tables, PartialFailure(
                    "LimitsExceeded",
                    "Query execution has exceeded the allowed limits (80DA0003): the results of "
                    f"this query exceed the set limit of {exceeded}, so not all records were "
                    "returned (E_QUERY_RESULT_SET_TOO_LARGE, 0x80DA0003).",
                    permanent=True,
                    kind="KustoServicePartialQueryFailureLimitsExceededException",
                )
            table.rows.append(shown)
    return tables, None


def frames(tables: list[Table], failure: PartialFailure | None) -> list[dict[str, Any]]:
    """Version 2: a frame for each table, between a header and a completion."""
    result: list[dict[str, Any]] = [
        {
            "FrameType": "DataSetHeader",
            "IsProgressive": False,
            "Version": "v2.0",
            "IsFragmented": False,
            "ErrorReportingPlacement": "in_data"
            if failure and failure.in_data
            else "end_of_dataset",
        },
        _frame(0, "QueryProperties", "@ExtendedProperties", _PROPERTIES),
    ]
    for index, table in enumerate(tables, 1):
        frame = _frame(index, "PrimaryResult", "PrimaryResult", table)
        if failure and failure.in_data and index == len(tables):
            frame["Rows"].append({"OneApiErrors": [failure.error()]})
        result.append(frame)
    kind = "QueryCompletionInformation"
    result.append(_frame(len(tables) + 1, kind, kind, _completion(failure)))
    end: dict[str, Any] = {
        "FrameType": "DataSetCompletion",
        "HasErrors": failure is not None,
        "Cancelled": False,
    }
    if failure:
        end["OneApiErrors"] = [failure.error()]
    result.append(end)
    return result


def _completion(failure: PartialFailure | None) -> Table:
    columns = [
        ("ClientRequestId", "string"),
        ("Level", "int"),
        ("LevelName", "string"),
        ("StatusCode", "int"),
        ("StatusCodeName", "string"),
        ("EventTypeName", "string"),
        ("Payload", "string"),
    ]
    if failure:
        row = ["", 2, "Error", -2147467259, "E_FAIL", "QueryInfo", failure.message]
    else:
        row = ["", 4, "Info", 0, "S_OK (0)", "QueryInfo", '{"Count":1,"Text":"completed"}']
    return Table(columns, [row])


_PROPERTIES = Table(
    [("TableId", "int"), ("Key", "string"), ("Value", "dynamic")],
    [[1, "Visualization", '{"Visualization":null}']],
)


def _frame(index: int, kind: str, name: str, table: Table) -> dict[str, Any]:
    return {
        "FrameType": "DataTable",
        "TableId": index,
        "TableKind": kind,
        "TableName": name,
        "Columns": [{"ColumnName": name, "ColumnType": kind} for name, kind in table.columns],
        "Rows": table.rows,
    }


def version_1(tables: list[Table], failure: PartialFailure | None, is_query: bool) -> Any:
    """Version 1: the tables, and after those of a query a table of contents."""
    shown = [_table(index, table) for index, table in enumerate(tables)]
    if is_query:
        columns = [("Ordinal", "long"), ("Kind", "string"), ("Name", "string"), ("Id", "string")]
        contents = [
            [index, "QueryResult", "PrimaryResult", f"local-{index}"]
            for index in range(len(tables))
        ]
        shown.append(_table(len(tables), Table(columns, contents)))
    result: dict[str, Any] = {"Tables": shown}
    if failure:
        result["Exceptions"] = [failure.message]
    return result


def _table(index: int, table: Table) -> dict[str, Any]:
    bools = [place for place, (_, kind) in enumerate(table.columns) if kind == "bool"]
    rows = table.rows
    if bools:
        rows = [list(row) for row in rows]
        for row in rows:
            for place in bools:
                row[place] = None if row[place] is None else int(row[place])
    return {
        "TableName": f"Table_{index}",
        "Columns": [
            {"ColumnName": name, "DataType": DATA_TYPES[kind], "ColumnType": kind}
            for name, kind in table.columns
        ],
        "Rows": rows,
    }
