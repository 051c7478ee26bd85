"""The ledger: keys, stores, and the records, dead letters and tickets that are kept in them."""
