"""What stands in place of a secret: apart from the rules, which a refused request does not need."""

REDACTED = "[redacted]"
