"""Packages the charts: `python -m tests.charts DIRECTORY`."""

import sys
from pathlib import Path

from tests.charts.package import make_repository

make_repository(Path(sys.argv[1]))
