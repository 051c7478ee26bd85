"""The tasks of the timer: sweeps and reconciliation."""
