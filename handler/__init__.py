"""Callback handler for Tencent Cloud Infinite (CI): callbacks in, records and follow-ups out."""

__version__ = "0.1.0"
