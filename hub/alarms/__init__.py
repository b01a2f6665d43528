"""Alarms: rules over facts, kept in the ledger, told to people by mail, webhook and robots."""
