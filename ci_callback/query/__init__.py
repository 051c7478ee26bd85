"""SQL over the ledger's records."""
