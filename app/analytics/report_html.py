"""Weekly report as a self-contained HTML page."""

import base64
import hashlib
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, Template
from markupsafe import Markup

from app.analytics import wording
from app.analytics.report import WeeklyReport

FOLDER = Path(__file__).parent
STYLE = (FOLDER / "report.css").read_text()
POLICY = f"default-src 'none'; style-src 'sha256-{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'"
"""Content security policy of the page: its own style, and nothing else."""


def page(report: WeeklyReport) -> str:
    """Return the report as HTML. Text of users is escaped."""
    return _template().render(
        report=report,
        heading=wording.heading(report),
        figures=wording.figures(report),
        note=wording.TIME_ZONE,
        style=Markup(STYLE),  # noqa: S704 a file of this package
    )


@cache
def _template() -> Template:
    return Environment(loader=FileSystemLoader(FOLDER), autoescape=True).get_template("report.html")
