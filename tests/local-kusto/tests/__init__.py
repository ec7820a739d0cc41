"""Tests of the local server, over HTTP."""
