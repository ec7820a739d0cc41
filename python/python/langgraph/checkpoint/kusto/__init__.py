"""LangGraph's checkpointer on Kusto."""

from langgraph_checkpoint_wasm.kusto import AsyncKustoSaver

__all__ = ["AsyncKustoSaver"]
