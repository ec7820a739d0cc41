"""Every transcript gives the outcomes and the stored bytes that it gives in Rust and JavaScript."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from langgraph_checkpoint_wasm import SqliteSaver

from .transcripts import JsonSerde, digest_of, expand, outcome_of, transcripts

TRANSCRIPTS = transcripts()


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("name", TRANSCRIPTS)
def test_a_transcript_gives_its_outcomes_and_stored_bytes(
    name: str, asynchronous: bool, tmp_path: Path
) -> None:
    path = tmp_path / "checkpoints.db"

    async def run() -> None:
        async with SqliteSaver(path, serde=JsonSerde()) as saver:
            for index, step in enumerate(TRANSCRIPTS[name]["steps"]):
                outcome = await outcome_of(saver, step["call"], asynchronous=asynchronous)
                assert outcome == expand(step["gives"], "#"), f"step {index}"

    asyncio.run(run())
    assert digest_of(path) == TRANSCRIPTS[name]["stored"]
