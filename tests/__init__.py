"""The tests, and the services, data and helpers that they share."""
