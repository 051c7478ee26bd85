"""Deploys the function: serverless.yml and what the account holds become a list of calls.

    description (pure) ─► desired state ─┐
                                         ├─► plan (pure: differences and calls) ─► carry out
    account (read) ─────► actual state ──┘

`--dry-run` prints the list that is then carried out. Nothing else writes.
"""
