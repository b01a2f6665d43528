"""`./run bench road|latency …`."""

import sys

from benchmarks.road import main

sys.exit(main(sys.argv[1:] or ["road"]))
