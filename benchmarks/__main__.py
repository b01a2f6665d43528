"""`./run bench road|latency|subject …`."""

import sys

from benchmarks import road, subject

words = sys.argv[1:] or ["road"]
sys.exit(subject.main(words[1:]) if words[0] == "subject" else road.main(words))
