"""Callback handler for Tencent Cloud Infinite (CI): callbacks in, records and follow-ups out."""

__version__ = "0.1.0"

USER_AGENT = f"ci-callback-handler/{__version__}"
"""Of the requests that the function builds itself."""
