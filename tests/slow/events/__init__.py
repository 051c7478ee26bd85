"""Thousands of ends to two destinations, one of them flapping, while the store fails in 30 of 100
requests and processes are killed anywhere."""
