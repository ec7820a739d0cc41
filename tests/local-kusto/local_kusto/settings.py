"""What a test may set for one database, or for all."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .commands import ROLES


@dataclass
class Settings:
    """How a database answers."""

    #: The tokens that are good; None when none is asked for.
    tokens: list[str] | None = None
    roles: list[str] = field(default_factory=lambda: ["admin"])
    #: Dynamic values as JSON text in a string, or as JSON itself: clusters give either.
    dynamic_as_text: bool = True
    #: A streaming request may have so many bytes, before compression.
    ingest_bytes_max: int = 4 << 20
    #: Whether the database is there at all.
    absent: bool = False
    #: Whether tables need a streaming policy for streaming, as with the service.
    streaming_policy_needed: bool = True

    def update(self, raw: dict[str, Any]) -> None:
        """Takes what is given."""
        for name, value in raw.items():
            if not hasattr(self, name):
                raise ValueError(f"no setting {name}")
            setattr(self, name, value)
        if not set(self.roles) <= ROLES:
            raise ValueError(f"roles are {sorted(ROLES)}")
