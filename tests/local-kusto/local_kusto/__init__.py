"""A local stand-in for a Kusto cluster: its REST API over duckdb-kql. It is not Kusto."""
