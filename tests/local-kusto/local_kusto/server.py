"""HTTP: reads requests whole, answers, keeps a log."""

from __future__ import annotations

import gzip
import json
import socket
import traceback
import uuid
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from . import control
from .cluster import Cluster
from .errors import KustoError
from .login import Login
from .service import Cut, Request, Service

#: Longer texts are cut in the log.
_LOGGED_MAX = 1 << 18
#: The largest unpacked body of a request.
_BODY_BYTES_MAX = 256 << 20
_GZIP_FROM = 1024


class LocalKusto(ThreadingHTTPServer):
    """The server, on a loopback address."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, port: int, cluster: Cluster) -> None:
        self.cluster = cluster
        self.login = Login()
        self.service = Service(cluster, self.login)
        super().__init__(("127.0.0.1", port), _Handler)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # A response goes out in one piece, without waiting for the other side.
    wbufsize = -1
    disable_nagle_algorithm = True
    server: LocalKusto

    def log_message(self, format: str, *args: Any) -> None:
        """Prints nothing: the log has its own endpoint."""

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def _serve(self) -> None:
        try:
            wire = self._read_wire()
            body = _unpacked(wire, self.headers.get("content-encoding", ""))
        except (ValueError, OSError, zlib.error, EOFError):
            self._send(400, {"error": {"code": "BadRequest", "message": "unreadable body"}}, {})
            self.close_connection = True
            return
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, parts.path, query, headers, body)
        if parts.path.startswith("/local/"):
            given = json.loads(body) if body else None
            status, answer = control.answer(
                self.server.cluster, self.server.login, self.command, parts.path, query, given
            )
            self._send(status, answer, {})
            return
        self._serve_cluster(request, len(wire))

    def _serve_cluster(self, request: Request, wire_bytes: int) -> None:
        status, answer, headers, cut = 0, None, {}, None
        try:
            status, answer = self._answer(request)
        except Cut as fault:
            cut = fault
        except KustoError as error:
            status, answer, headers = error.status, error.body(), error.headers
        except Exception:  # A fault of this server: tests must see it as one.
            traceback.print_exc()
            defect = KustoError("the local server failed", status=500, code="LocalKusto_Defect")
            status, answer = defect.status, defect.body()
        sent = 0 if cut else self._send(status, answer, headers)
        self.server.cluster.log.add(_entry(request, wire_bytes, status, sent))
        if cut:
            self._cut(cut)

    def _answer(self, request: Request) -> tuple[int, Any]:
        login = self.server.login
        if request.path == "/v1/rest/auth/metadata":
            return 200, {"AzureAD": self._azure_ad() if login.configured else None}
        if request.path.endswith(("/oauth2/v2.0/token", "/oauth2/token")):
            return login.token(request.path, request.body)
        return 200, self.server.service.answer(request)

    def _azure_ad(self) -> dict[str, Any]:
        return {
            "LoginEndpoint": self.server.url,
            "LoginMfaRequired": False,
            "KustoClientAppId": "db662dc1-0cfe-4e1c-a843-19a68e65be58",
            "KustoClientRedirectUri": "http://localhost",
            "KustoServiceResourceId": "https://kusto.kusto.windows.net",
            "FirstPartyAuthorityUrl": self.server.url,
        }

    def _read_wire(self) -> bytes:
        if self.headers.get("transfer-encoding", "").lower() == "chunked":
            pieces = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                pieces.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(pieces)
        return self.rfile.read(int(self.headers.get("content-length") or 0))

    def _send(self, status: int, answer: Any, headers: dict[str, str]) -> int:
        """Sends a whole response. Returns how many bytes its body has on the wire."""
        body = json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode(
            "utf-8", "replace"
        )
        packed = "gzip" in self.headers.get("accept-encoding", "") and len(body) >= _GZIP_FROM
        if packed:
            body = gzip.compress(body, 1)
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        if packed:
            self.send_header("Content-Encoding", "gzip")
        given = self.headers.get("x-ms-client-request-id") or f"unspecified;{uuid.uuid4()}"
        self.send_header("x-ms-client-request-id", given)
        self.send_header("x-ms-activity-id", str(uuid.uuid4()))
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        return len(body)

    def _cut(self, cut: Cut) -> None:
        """Breaks the connection, after half of the response if there is one."""
        self.close_connection = True
        if cut.response is not None:
            body = json.dumps(cut.response).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2])
            self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)


def _unpacked(wire: bytes, encoding: str) -> bytes:
    if encoding.lower() not in ("gzip", "deflate"):
        return wire
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 32)
    body = unpacker.decompress(wire, _BODY_BYTES_MAX)
    if not unpacker.eof:
        raise ValueError("too large, or not whole")
    return body


def _entry(request: Request, wire_bytes: int, status: int, sent: int) -> dict[str, Any]:
    text = request.seen.get("text")
    if text is None:
        text = request.body[:_LOGGED_MAX].decode("utf-8", "replace")
    return {
        "database": request.seen.get("database"),
        "place": request.seen.get("place"),
        "method": request.method,
        "path": request.path,
        "query": request.query,
        "headers": request.headers,
        "text": text[:_LOGGED_MAX],
        "parameters": request.seen.get("parameters"),
        "rows": request.seen.get("rows"),
        "wire_bytes": wire_bytes,
        "body_bytes": len(request.body),
        "fault": request.seen.get("fault"),
        "status": status or None,
        "response_bytes": sent,
    }
