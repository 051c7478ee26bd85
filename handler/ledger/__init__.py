"""What is kept, and where: keys, the store they live in, and the ledger on top."""
