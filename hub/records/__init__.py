"""One record and its whole way: found by number, key or subject; as sent, mapped, standard, delivered."""
