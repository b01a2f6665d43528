"""`python -m hub`."""

from hub.cli.entry import main

main()
