"""The substitute for a secret. It is separate from the rules, which a refused request does not
need."""

REDACTED = "[redacted]"
