"""Waiting until an object does what it is for, and saying meanwhile, and in the end, what is missing.

Each kind has a file with one function from the object (and what the cluster shows around it) to a `Verdict`; the rules
and most messages follow the official provider. `wait.py` asks until the verdict is final.
"""
