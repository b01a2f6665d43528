"""Reconciliation: with other hubs record by record, with centres and senders by their counts."""
