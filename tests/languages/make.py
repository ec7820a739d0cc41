"""Writes the files of this folder that Python writes; README.md says when.

`python.json` has the bytes of Python's values. `through-python.json` has the bytes that Python
writes of the values in `javascript.json` once it has read them.
"""

import base64
import json
from pathlib import Path

from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph_checkpoint_wasm.serde_js import loads_json
from python_values import VALUES

FOLDER = Path(__file__).parent
SERDE = JsonPlusSerializer()

Stored = tuple[str, str]
"""The type of stored bytes, and the bytes in base64; if the type is `json`, the text itself."""


def stored(value: object) -> Stored:
    kind, data = SERDE.dumps_typed(value)
    return kind, base64.b64encode(data).decode()


def read(kind: str, text: str) -> object:
    if kind == "json":
        return loads_json(text.encode())
    return SERDE.loads_typed((kind, base64.b64decode(text)))


def write(name: str, values: dict[str, Stored]) -> None:
    text = json.dumps(values, indent=1, ensure_ascii=True)
    (FOLDER / name).write_text(f"{text}\n")


def main() -> None:
    write("python.json", {name: stored(value) for name, value in VALUES.items()})
    path = FOLDER / "javascript.json"
    values = json.loads(path.read_text())["values"] if path.exists() else {}
    through = {name: stored(read(*written)) for name, written in values.items()}
    write("through-python.json", through)


if __name__ == "__main__":
    main()
