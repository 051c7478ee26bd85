"""10,000 callbacks to the function as it is deployed: SCF, COS, CI and a channel at their worst.

services.py   COS and CI behind one address, and a person's webhook; each may fail
plan.py       the jobs, how they end, and their callbacks
play.py       the minutes, one after the other
promises.py   what must hold in the end
"""
