"""A login endpoint for applications. It gives tokens that the server accepts."""

from __future__ import annotations

import secrets
import threading
import time
from typing import Any
from urllib.parse import parse_qs


class Login:
    """One application with a secret, and the tokens it was given."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._application: tuple[str, str, str] | None = None
        self._lifetime_s = 3599.0
        self._issued: dict[str, float] = {}

    def configure(self, raw: dict[str, Any]) -> None:
        """Sets the application. Tokens given earlier become invalid."""
        with self._lock:
            self._application = (raw["tenant"], raw["client_id"], raw["secret"])
            self._lifetime_s = float(raw.get("lifetime_s", 3599))
            self._issued.clear()

    @property
    def configured(self) -> bool:
        """Whether there is an application."""
        return self._application is not None

    def accepts(self, token: str) -> bool:
        """Whether a token was given here and has not expired."""
        with self._lock:
            return self._issued.get(token, 0.0) > time.monotonic()

    def token(self, path: str, body: bytes) -> tuple[int, dict[str, Any]]:
        """Answers `POST /{tenant}/oauth2/v2.0/token`."""
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        tenant = path.split("/")[1]
        given = (tenant, form.get("client_id", ""), form.get("client_secret", ""))
        if form.get("grant_type") != "client_credentials" or not form.get("scope"):
            return 400, _refused("unsupported_grant_type", "AADSTS70003: no such grant here")
        with self._lock:
            if given != self._application:
                return 401, _refused("invalid_client", "AADSTS7000215: invalid client secret")
            token = secrets.token_urlsafe(48)
            self._issued[token] = time.monotonic() + self._lifetime_s
            return 200, {
                "token_type": "Bearer",
                "expires_in": int(self._lifetime_s),
                "ext_expires_in": int(self._lifetime_s),
                "access_token": token,
            }


def _refused(code: str, description: str) -> dict[str, Any]:
    return {"error": code, "error_description": description}
