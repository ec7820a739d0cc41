"""The endpoints of a cluster, with faults and roles."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from .cluster import Cluster
from .commands import execute, held
from .database import Database, RowSet
from .errors import KustoError, forbidden, syntax, unauthorized
from .faults import CUTS, REFUSALS, Fault
from .ingestion import read_rows
from .lexer import without_leading_comments
from .login import Login
from .responses import PartialFailure, as_tables, frames, version_1

_INLINE = re.compile(r"\.ingest\s+inline\b", re.IGNORECASE)


@dataclass
class Request:
    """A request, its body whole and unpacked."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    #: Details for the log.
    seen: dict[str, Any] = field(default_factory=dict)


@dataclass
class Cut(Exception):
    """The connection breaks, with or without a part of the response."""

    response: Any = None


class Service:
    """The endpoints."""

    def __init__(self, cluster: Cluster, login: Login) -> None:
        self._cluster = cluster
        self._login = login

    def answer(self, request: Request) -> Any:
        """The body of the response to a request, or an error."""
        parts = request.path.split("/")
        if request.method == "POST" and parts[1:4] == ["v1", "rest", "ingest"] and len(parts) == 6:
            return self._ingest(request, unquote(parts[4]), unquote(parts[5]))
        endpoint = (request.method, request.path)
        if endpoint in (("POST", "/v1/rest/query"), ("POST", "/v2/rest/query")):
            return self._query(request)
        if endpoint == ("POST", "/v1/rest/mgmt"):
            return self._command(request)
        raise KustoError("There is no such endpoint.", status=404, code="NotFound")

    def _query(self, request: Request) -> Any:
        name, text, properties = _read_body(request)
        fault = self._admit(request, name, "query", "viewer")
        if without_leading_comments(text).startswith("."):
            raise syntax("a command is sent to the endpoint for commands")
        database = self._cluster.database(name)
        with database.lock:
            database.release()
            results = database.query(text, properties.get("Parameters") or {})
        options = properties.get("Options") or {}
        as_text = self._cluster.settings(name).dynamic_as_text
        tables, failure = as_tables(results, options, as_text)
        if fault and fault.kind == "partial":
            for table in tables:
                del table.rows[len(table.rows) // 2 :]
            failure = _partial(fault)
        if request.path == "/v1/rest/query":
            response = version_1(tables, failure, is_query=True)
        else:
            response = frames(tables, failure)
        return _end(fault, response)

    def _command(self, request: Request) -> Any:
        name, text, _ = _read_body(request)
        inline = bool(_INLINE.match(without_leading_comments(text)))
        fault = self._admit(request, name, "inline" if inline else "mgmt", None)
        database = self._cluster.database(name)
        roles = frozenset(self._cluster.settings(name).roles)
        with database.meeting(fault):
            result = execute(database, text, roles)
        tables, failure = as_tables([result], {}, dynamic_as_text=True)
        if fault and fault.kind == "partial":
            failure = _partial(fault)
        return _end(fault, version_1(tables, failure, is_query=False))

    def _ingest(self, request: Request, name: str, table: str) -> Any:
        fault = self._admit(request, name, "ingest", "ingestor")
        settings = self._cluster.settings(name)
        if len(request.body) > settings.ingest_bytes_max:
            raise REFUSALS["too-large"](Fault("too-large", "ingest"))
        database = self._cluster.database(name)
        with database.meeting(fault):
            found = database.catalog.table(table)
            if settings.streaming_policy_needed and not _streams(database, table):
                raise REFUSALS["streaming-off-table"](Fault("streaming-off-table", "ingest"))
            form = request.query.get("streamFormat", "csv")
            rows = read_rows(found, request.body, form, request.query.get("mappingName"))
            request.seen["rows"] = len(rows)
            database.ingest(table, rows)
        columns = [
            ("ConsumedRecordsCount", "long"),
            ("UpdatePolicyStatus", "string"),
            ("UpdatePolicyFailureCode", "string"),
            ("UpdatePolicyFailureReason", "string"),
        ]
        result = RowSet(columns, [(len(rows), "Inactive", "Unknown", "")])
        tables, failure = as_tables([result], {}, dynamic_as_text=True)
        if fault and fault.kind == "partial":
            failure = _partial(fault)
        return _end(fault, version_1(tables, failure, is_query=False))

    def _admit(self, request: Request, name: str, place: str, role: str | None) -> Fault | None:
        """Admits a request. Returns the fault that hits it, if any."""
        request.seen.update(database=name, place=place)
        plan = self._cluster.plan(name)
        fault = plan.draw(place) if plan else None
        if fault:
            request.seen["fault"] = fault.kind
        if fault and fault.kind == "cut-before":
            raise Cut
        if fault and fault.kind in REFUSALS:
            raise REFUSALS[fault.kind](fault)
        settings = self._cluster.settings(name)
        if settings.tokens is not None:
            scheme, _, token = request.headers.get("authorization", "").partition(" ")
            if scheme.lower() != "bearer" or not token:
                raise unauthorized("there is no bearer token")
            if token not in settings.tokens and not self._login.accepts(token):
                raise unauthorized("the token is not valid or has expired")
        if role and role not in held(frozenset(settings.roles)):
            raise forbidden("the caller", f"access database '{name}': it needs {role}")
        return fault


def _read_body(request: Request) -> tuple[str, str, dict[str, Any]]:
    try:
        body = json.loads(request.body)
        properties = body.get("properties") or {}
        # Clients send an object, or its JSON text.
        if isinstance(properties, str):
            properties = json.loads(properties)
        text, name = str(body["csl"]), str(body.get("db") or "NetDefaultDB")
    except (ValueError, KeyError, AttributeError) as error:
        raise syntax("the body of the request is no JSON with `db` and `csl`") from error
    request.seen.update(database=name, text=text, parameters=properties.get("Parameters") or {})
    return name, text, properties


def _streams(database: Database, table: str) -> bool:
    for policies in (database.catalog.table(table).policies, database.catalog.policies):
        policy = policies.get("streamingingestion")
        if policy is not None:
            return bool(policy.get("IsEnabled"))
    return False


def _partial(fault: Fault) -> PartialFailure:
    return PartialFailure(
        "General_InternalServerError",
        "The request failed after it had begun, as was asked for.",
        fault.permanent,
        in_data=fault.placement == "in_data",
    )


def _end(fault: Fault | None, response: Any) -> Any:
    """The response, unless a fault breaks the connection."""
    if fault and fault.kind in CUTS:
        raise Cut(response if fault.kind == "cut-during" else None)
    return response
