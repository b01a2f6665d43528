"""What each department of the demo states, written down a second time: nobody changes it by accident."""

#: connection -> read, accepted, held, rejected, duplicate.
STATED = {
    "ecology-penalties": (1400, 1174, 2, 39, 185),
    "market-checks": (1000, 980, 0, 20, 0),
    "drug-licences": (500, 484, 0, 16, 0),
    "emergency-checks": (120, 111, 3, 6, 0),
    "registry-subjects": (1508, 1476, 0, 24, 8),
}
NAMES = ("read", "accepted", "held", "rejected", "duplicate")
