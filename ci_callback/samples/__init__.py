"""Callbacks such as CI would send, made from the tables that the parser reads by. Pure: the
clock and the ids are handed in, and bytes come out.

    options.py   what is asked for: state, format, bucket, …; the options of `sample` and `send`
    writing.py   a table of fields, written instead of read
    shapes.py    what each tag is asked to do: inputs, outputs and settings, by the samples
    jobs.py, runs.py, reviews.py     one module for each kind of callback
    edit.py      --set PATH=VALUE
    wire.py      a tree as CI's XML or JSON
    samples.py   all of it together: a name and options to a callback
"""
