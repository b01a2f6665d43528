"""`./run bench road|latency|subject|reconcile …`."""

import sys

from benchmarks import reconcile, road, subject

words = sys.argv[1:] or ["road"]
named = {"subject": subject.main, "reconcile": reconcile.main}
sys.exit(named[words[0]](words[1:]) if words[0] in named else road.main(words))
