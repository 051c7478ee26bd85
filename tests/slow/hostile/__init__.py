"""Hostile inputs against the function, each with the answer that it must get.

    python -m tests.slow.hostile        # runs them all, prints a table in Markdown

case.py      what a case is, and what the families build theirs of
*_cases.py   the inputs as data, one module a family
watch.py     tells which files and sockets the interpreter opens
child.py     runs the cases in forked processes, and judges what came of each
run.py       hands the cases to the child, and stands bait out: a port, and a file
"""
