"""A cache of computed results."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any

_ENTRIES_MAX = 4000


class Cache:
    """The most recently used entries; safe for several threads."""

    def __init__(self) -> None:
        self._entries: OrderedDict[Any, Any] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, key: Any) -> Any:
        """The entry, or None."""
        with self._lock:
            if key in self._entries:
                self._entries.move_to_end(key)
            return self._entries.get(key)

    def keep(self, key: Any, value: Any) -> None:
        """Stores an entry, and drops the least recently used one."""
        with self._lock:
            self._entries[key] = value
            while len(self._entries) > _ENTRIES_MAX:
                self._entries.popitem(last=False)
