"""What flows from whom to whom: rates against the usual, how each line stands, and the deeds of an operator."""
