"""From raw bytes to judged records: read, map, check, compare with what is known, store, route."""
