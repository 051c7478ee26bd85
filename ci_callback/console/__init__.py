"""The local console at /_/ of `serve`: server-rendered pages over the ledger and the history."""
