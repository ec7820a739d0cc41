"""Faults on demand, such as the service has by itself."""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass, field
from typing import Any

from .errors import KustoError, forbidden, unauthorized

#: Faults that answer instead of running the request.
REFUSALS = {
    "throttled": lambda fault: KustoError(
        "The request was denied due to throttling.",
        status=429,
        code="TooManyRequests",
        kind="KustoRequestThrottledException",
        permanent=False,
        headers=_retry_after(fault),
    ),
    "unavailable": lambda fault: KustoError(
        "The service is unavailable.",
        status=503,
        code="ServiceUnavailable",
        kind="KustoServiceException",
        permanent=False,
        headers=_retry_after(fault),
    ),
    "transient": lambda fault: KustoError(
        "The ingestion was throttled.",
        code="General_ThrottledIngestion",
        kind="IngestionThrottledException",
        permanent=False,
    ),
    "permanent": lambda fault: KustoError(
        "The request is bad, as was asked for.", code="General_BadRequest"
    ),
    "streaming-off-cluster": lambda fault: KustoError(
        "The streaming ingestion endpoint does not exist.",
        status=404,
        code="NotFound",
        kind="StreamingIngestionEndpointNotFoundException",
    ),
    "streaming-off-table": lambda fault: KustoError(
        "Streaming ingestion policy is not enabled.",
        code="BadRequest_StreamingIngestionPolicyNotEnabled",
        kind="StreamingIngestionRequestException",
    ),
    "too-large": lambda fault: KustoError(
        "The input stream is too large.",
        status=413,
        code="Stream_InputStreamTooLarge",
        kind="StreamingIngestionRequestException",
    ),
    "unauthorized": lambda fault: unauthorized("the token has expired"),
    "forbidden": lambda fault: forbidden("the caller", "access the database"),
}
#: Faults of the connection.
CUTS = frozenset({"cut-before", "cut-after", "cut-during"})
#: Faults of rows that are acknowledged.
INGESTIONS = frozenset({"delayed", "duplicated", "torn"})
#: Faults of a result whose status is 200.
RESULTS = frozenset({"partial"})
KINDS = frozenset(REFUSALS) | CUTS | INGESTIONS | RESULTS
#: `rows` means both ways of adding rows.
PLACES = frozenset({"query", "mgmt", "ingest", "inline", "rows", "any"})


@dataclass
class Fault:
    """One rule: which requests it hits, how often, and what it does to them."""

    kind: str
    on: str
    #: This many matching requests pass first.
    after: int = 0
    #: Then it hits this many; None: all.
    count: int | None = None
    #: It hits each matching request with this probability.
    probability: float = 1.0
    retry_after: float | None = None
    #: `delayed`, `torn`: the rows become visible after this many queries.
    queries: int | None = None
    #: `delayed`, `torn`: the rows become visible after this many milliseconds.
    ms: float | None = None
    #: `torn`: this many rows are visible at once.
    rows: int = 1
    #: `partial`: where the error is, and whether it is permanent.
    placement: str = "end_of_dataset"
    permanent: bool = False
    hits: int = field(default=0)


def _retry_after(fault: Fault) -> dict[str, str]:
    if fault.retry_after is None:
        return {}
    return {"Retry-After": f"{fault.retry_after:g}"}


class Plan:
    """The faults of a database, drawn from one seed."""

    def __init__(self, raw: dict[str, Any]) -> None:
        self._random = random.Random(raw.get("seed", 0))
        self._lock = threading.Lock()
        self.faults = [Fault(**one) for one in raw.get("faults", [])]
        for fault in self.faults:
            if fault.kind not in KINDS or fault.on not in PLACES:
                raise ValueError(f"no fault {fault.kind} on {fault.on}")

    def draw(self, place: str) -> Fault | None:
        """The first fault that hits a request, if any."""
        with self._lock:
            for fault in self.faults:
                if not _covers(fault.on, place) or fault.count == 0:
                    continue
                if fault.after > 0:
                    fault.after -= 1
                    continue
                if self._random.random() >= fault.probability:
                    continue
                if fault.count is not None:
                    fault.count -= 1
                fault.hits += 1
                return fault
        return None


def _covers(on: str, place: str) -> bool:
    return on in ("any", place) or (on == "rows" and place in ("ingest", "inline"))
