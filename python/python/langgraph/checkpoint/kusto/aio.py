"""LangGraph's checkpointer on Kusto, by the name of its module for asyncio."""

from langgraph_checkpoint_wasm.kusto import AsyncKustoSaver

__all__ = ["AsyncKustoSaver"]
