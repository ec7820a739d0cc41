"""`/local/...`: endpoints for tests, which no cluster has."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from .cluster import EVERY, Cluster
from .login import Login


def answer(
    cluster: Cluster, login: Login, method: str, path: str, query: dict[str, str], body: Any
) -> tuple[int, Any]:
    """The status and the body of a response."""
    body = body or {}
    name = body.get("database") or query.get("database") or EVERY
    try:
        return _answer(cluster, login, (method, path), name, query, body)
    except (KeyError, TypeError, ValueError) as error:
        return 400, {"error": f"{type(error).__name__}: {error}"}


def _answer(
    cluster: Cluster,
    login: Login,
    request: tuple[str, str],
    name: str,
    query: dict[str, str],
    body: dict[str, Any],
) -> tuple[int, Any]:
    one = None if name == EVERY else name
    match request:
        case ("POST", "/local/faults"):
            cluster.set_plan(name, {key: body[key] for key in body if key != "database"})
        case ("DELETE", "/local/faults"):
            cluster.set_plan(name, None)
        case ("GET", "/local/faults"):
            plan = cluster.plan(name)
            return 200, [asdict(fault) for fault in plan.faults] if plan else []
        case ("POST", "/local/settings"):
            cluster.set(name, {key: body[key] for key in body if key != "database"})
        case ("GET", "/local/settings"):
            return 200, asdict(cluster.settings(name))
        case ("POST", "/local/databases"):
            cluster.create(body["database"], body.get("provisioned", True))
        case ("DELETE", "/local/databases"):
            cluster.drop(name)
        case ("POST", "/local/release"):
            database = cluster.database(name)
            with database.lock:
                database.release(everything=True)
        case ("POST", "/local/login"):
            login.configure(body)
        case ("GET", "/local/log"):
            return 200, cluster.log.entries(one, int(query.get("after", 0)))
        case ("DELETE", "/local/log"):
            cluster.log.clear(one)
        case _:
            return 404, {"error": f"there is no {request[0]} {request[1]}"}
    return 200, {}
