"""Start one of the plugins beside this file as the package it is: `run_plugin.py <package> [arguments]`.

A file rather than `python -m`, so that neither PYTHONPATH nor the working directory, which is the program's, changes.
"""

import runpy
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).parents[2])
    package = sys.argv.pop(1)
    runpy.run_module(f"local.plugins.{package}", run_name="__main__", alter_sys=True)
