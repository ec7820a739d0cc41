"""`python tests/local-kusto`, from any folder."""

from local_kusto.__main__ import main

main()
