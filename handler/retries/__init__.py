"""What the timer runs: sweeps and reconciliation."""
