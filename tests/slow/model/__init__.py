"""The protocol as a model: every order of its steps, every crash, and what holds in all of them.

requests.py   what the handler asks of COS, CI and the channels
protocol.py   what it asks and when: the design's steps, each guard with a switch
routines.py   steps written as generators, made into states
state.py      what the ledger holds, who runs, what is still young
answers.py    how each request may be answered
world.py      who goes on, who dies, how time passes
workers.py     several tickets at a time under one lease
promises.py   what must hold
scopes.py     the situations that are explored
explore.py    every state of a situation; `python -m tests.slow.model.explore` prints a table
"""
