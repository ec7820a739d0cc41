"""What a test may set for one database, or for all."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .commands import ROLES


@dataclass
class Settings:
    """How a database answers."""

    #: The valid tokens; None if no token is needed.
    tokens: list[str] | None = None
    roles: list[str] = field(default_factory=lambda: ["admin"])
    #: Whether dynamic values are JSON text in a string, or JSON itself: clusters do either.
    dynamic_as_text: bool = True
    #: The most bytes of a streaming request, before compression.
    ingest_bytes_max: int = 4 << 20
    #: Whether the database does not exist.
    absent: bool = False
    #: Whether streaming needs a table's streaming policy, as in the service.
    streaming_policy_needed: bool = True

    def update(self, raw: dict[str, Any]) -> None:
        """Sets the given values."""
        for name, value in raw.items():
            if not hasattr(self, name):
                raise ValueError(f"no setting {name}")
            setattr(self, name, value)
        if not set(self.roles) <= ROLES:
            raise ValueError(f"roles are {sorted(ROLES)}")
