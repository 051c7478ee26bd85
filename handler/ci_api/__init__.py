"""The few endpoints of CI that are called."""
