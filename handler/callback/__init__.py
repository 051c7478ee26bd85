"""From the bytes of a callback to job records. Pure: no I/O, no clock, no environment."""
