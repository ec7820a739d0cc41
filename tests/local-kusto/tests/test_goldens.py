"""What the guest sends runs here: each text of tests/goldens/kusto."""

from __future__ import annotations

import re
from typing import Any

from .server import PROVISION, ROOT, ServerTest

GOLDENS = sorted((ROOT / "tests" / "goldens" / "kusto").glob("*.kql"))
#: A value for each type of parameter.
VALUES: dict[str, Any] = {"string": '"x"', "long": 1, "dynamic": 'dynamic(["x"])'}


class Goldens(ServerTest):
    """Every query and command."""

    def test_every_text_of_the_guest_runs(self) -> None:
        self.assertNotEqual(GOLDENS, [])
        # The name of the table is an option of the saver.
        self.command(PROVISION.replace("CheckpointLog", "Other_Log").replace("Latest", "Last"))
        for golden in GOLDENS:
            with self.subTest(golden.name):
                text = golden.read_text("utf-8")
                if text.startswith("."):
                    self.command(text)
                    continue
                declared = re.search(r"query_parameters\(([^)]*)\)", text)
                names = re.findall(r"(\w+):(\w+)", declared[1]) if declared else []
                self.query(text, **{name: VALUES[kind] for name, kind in names})
