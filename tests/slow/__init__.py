"""The long proofs.

model/      the protocol as a model, in every state
crash/      a process killed at each of its requests
faults/     every operation failing in every way; 10,000 callbacks; an hour without COS
deployed/   10,000 callbacks to the function as SCF runs it, all services at their worst
hostile/    hostile inputs, and how time and memory grow with their size
fuzz/       coverage-guided fuzzing

Some of each are marked as samples, and run in `make test`.
"""
