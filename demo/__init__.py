"""The demo city: departments, their samples, and a provincial centre above them."""
