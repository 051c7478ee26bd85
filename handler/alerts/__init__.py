"""Alerts: digests, and the channels that they are sent to."""
