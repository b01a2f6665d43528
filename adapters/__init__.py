"""The language: how one system or channel is spoken to."""
