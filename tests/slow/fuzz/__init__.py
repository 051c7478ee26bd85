"""Coverage-guided fuzzing: `python -m tests.slow.fuzz --seconds 60`; see __main__.py.

events.py    an input's bytes → an event of one of the triggers, and what goes wrong meanwhile
promises.py  what must hold of every answer, log line and stored object
target.py    the target of events: event → answer
parsers.py   the target of bodies: body → record
seeds.py     what a run begins with
mutate.py    changes to an input that leave its XML or JSON well formed
child.py     the process that fuzzes (atheris)
keep.py      which of the inputs that a run found are worth keeping
"""
