"""`./run bench road|latency|subject|reconcile|pages …`."""

import sys

from benchmarks import pages, reconcile, road, subject

words = sys.argv[1:] or ["road"]
named = {"subject": subject.main, "reconcile": reconcile.main, "pages": pages.main}
sys.exit(named[words[0]](words[1:]) if words[0] in named else road.main(words))
