"""Evaluation: what a day, week, month or year was like, by party, data set and region (articles 35 and 42 to 46)."""
