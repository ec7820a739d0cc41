"""`python tests/local-kusto`, from wherever."""

from local_kusto.__main__ import main

main()
