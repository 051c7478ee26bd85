"""What of each record is searched, sorted and counted, in a SQLite file of its own.

    ledger ──► filler.py ──► database.py, rows.py ──► lookup.py (lists), totals.py (charts)

The ledger stays what counts: the file may be deleted at any time, and is filled again.
"""
