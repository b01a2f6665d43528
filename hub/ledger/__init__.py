"""The ledger: what happened is what stands here."""
