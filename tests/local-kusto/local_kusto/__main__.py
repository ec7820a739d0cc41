"""`python -m local_kusto`."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from pathlib import Path

from .cluster import Cluster
from .server import LocalKusto


def main() -> None:
    """Serves until it is stopped, or, with `--until-input-ends`, until its standard input ends."""
    parser = argparse.ArgumentParser(
        prog="local_kusto", description="A local stand-in for a Kusto cluster. It is not Kusto."
    )
    parser.add_argument("--port", type=int, default=0, help="0, the default: any free one")
    parser.add_argument("--data", type=Path, metavar="DIR", help="keep the databases in a folder")
    parser.add_argument(
        "--provision", type=Path, metavar="FILE", help="commands to run on each new database"
    )
    parser.add_argument(
        "--until-input-ends",
        action="store_true",
        help="stop when standard input ends, and so with whoever started this",
    )
    arguments = parser.parse_args()
    if arguments.data:
        arguments.data.mkdir(parents=True, exist_ok=True)
    provision = arguments.provision.read_text("utf-8") if arguments.provision else None
    cluster = Cluster(arguments.data, provision)
    server = LocalKusto(arguments.port, cluster)
    print(json.dumps({"url": server.url}), flush=True)

    def stop(*_: object) -> None:
        threading.Thread(target=server.shutdown).start()

    def stop_with_input() -> None:
        sys.stdin.buffer.read()
        stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    if arguments.until_input_ends:
        threading.Thread(target=stop_with_input, daemon=True).start()
    server.serve_forever(poll_interval=0.2)
    server.server_close()
    cluster.close()
    # Threads of open connections still use DuckDB: exit without waiting for them.
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
