"""The service's refusals."""

from __future__ import annotations

from typing import Any

_NAMESPACE = "Kusto.Data.Exceptions."


class KustoError(Exception):
    """A refusal, as a status and the error object of its body."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        code: str = "General_BadRequest",
        kind: str = "KustoBadRequestException",
        permanent: bool = True,
        inner: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.kind = kind
        self.permanent = permanent
        self.inner = inner
        self.headers = headers or {}

    def body(self, activity: str = "") -> dict[str, Any]:
        """The body of the response."""
        error: dict[str, Any] = {
            "code": self.code,
            "message": "Request is invalid and cannot be executed."
            if self.status == 400
            else str(self),
            "@type": _NAMESPACE + self.kind,
            "@message": str(self),
            "@context": {"serviceAlias": "LOCAL", "activityId": activity},
            "@permanent": self.permanent,
        }
        if self.inner:
            error["innererror"] = {
                "code": self.inner,
                "message": str(self),
                "@type": _NAMESPACE + self.kind,
                "@message": str(self),
                "@permanent": self.permanent,
            }
        return {"error": error}


def semantic(message: str) -> KustoError:
    """A name or a type that does not fit."""
    return KustoError(f"Semantic error: {message}", kind="SemanticException", inner="SEM0100")


def syntax(message: str) -> KustoError:
    """A text that is not KQL."""
    return KustoError(
        f"Syntax error: {message}",
        code="BadRequest_SyntaxError",
        kind="SyntaxException",
        inner="SYN0002",
    )


def unsupported(message: str) -> KustoError:
    """KQL that Kusto accepts and this server does not."""
    return KustoError(
        f"The local server, which is not Kusto, cannot do this: {message}.",
        code="LocalKusto_NotSupported",
        kind="LocalKustoException",
    )


def entity_not_found(kind: str, name: str) -> KustoError:
    """A table, mapping, view or function that does not exist."""
    return KustoError(
        f"Entity ID '{name}' of kind '{kind}' was not found.",
        code="BadRequest_EntityNotFound",
        kind="EntityNotFoundException",
    )


def forbidden(principal: str, what: str) -> KustoError:
    """A caller without the role."""
    return KustoError(
        f"Principal '{principal}' is not authorized to {what}.",
        status=403,
        code="Forbidden",
        kind="UnauthorizedDatabaseAccessException",
    )


def unauthorized(why: str) -> KustoError:
    """A caller without a valid token."""
    return KustoError(
        f"Authentication failed: {why}.",
        status=401,
        code="Unauthorized",
        kind="KustoAuthenticationException",
        headers={"WWW-Authenticate": 'Bearer authorization_uri="local"'},
    )
