"""`doctor`: is everything in place that the function depends on? It tries, and says what
fixes it."""
