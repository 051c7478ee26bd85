"""The task that sends events to the addresses of FORWARD_URLS (docs/events.md)."""
