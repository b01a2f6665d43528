"""Tools that make committed files from outside sources; run as `python -m tools.<name>` in the repository."""
