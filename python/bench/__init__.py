"""Compares the package's SQLite saver with LangGraph's own: `python -m bench`."""
