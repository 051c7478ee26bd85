"""The one redaction of secrets, for everything that is shown, logged or sent as text.

addresses   url_secrets(url): the parts of an address that must not be shown
text        redact(text, secrets), redact_body(body, secrets): text without the values of nodes
            whose names are secret, and without the secrets that are known by their value
values      where such a value begins and ends, in XML, JSON, forms, and in what is broken
escapes     text whose characters are escapes, decoded

Which names are secret is the rule of handler.callback.redaction. Where there is a tree, as for a
record, that module redacts it; text is for what can't be parsed or is shown as it was sent.
"""

from handler.callback.redacted import REDACTED as REDACTED
