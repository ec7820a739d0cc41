"""Compares the package's savers with LangGraph's own: `python -m bench`."""
