"""Start one of the plugins beside this file as the package it is: `run_plugin.py <package> [arguments]`.

A file rather than `python -m`, so that neither PYTHONPATH nor the working directory of the program has to change.
"""

import runpy
import sys

if __name__ == "__main__":
    package = sys.argv.pop(1)
    runpy.run_module(package, run_name="__main__", alter_sys=True)
