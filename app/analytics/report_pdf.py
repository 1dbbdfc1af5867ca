"""Weekly report as a one-page PDF.

It contains figures and no titles: the standard PDF fonts cover Latin script only, fonts for all scripts take tens of
megabytes, and a report that lists some tasks and omits others would mislead.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from app.analytics import wording
from app.analytics.report import WeeklyReport

if TYPE_CHECKING:
    from fpdf import FPDF

INK, SOFT, LINE = (23, 32, 28), (87, 99, 93), (221, 225, 219)
CREATED, COMPLETED = (135, 145, 139), (11, 122, 91)
HEIGHT, BAR, GAP = 45.0, 8.0, 1.0
"""Millimetres, as all lengths here: height of the chart, width of a bar, gap between the two bars of a day."""


def pdf(report: WeeklyReport) -> bytes:
    """Return the report as a PDF."""
    from fpdf import FPDF  # heavy (fonts, images): loaded only to render

    document = FPDF(format="A4")
    document.set_title(wording.heading(report))
    document.set_lang("en")
    document.set_creation_date(report.made_at)
    document.set_margin(20)
    document.set_draw_color(*LINE)
    document.set_text_color(*INK)
    document.add_page()
    document.set_font("helvetica", "B", 18)
    document.cell(text=wording.heading(report), new_x="LMARGIN", new_y="NEXT")
    document.set_font("helvetica", size=11)
    document.ln(4)
    _table(document, wording.figures(report), (3, 2))
    document.ln(6)
    _chart(document, report)
    rows = [(f"{day.date:%A}, {day.date}", str(day.created), str(day.completed)) for day in report.of.days]
    _table(document, rows, (3, 1, 1), heading=("Day", "Created", "Completed"))
    document.ln(4)
    document.set_text_color(*SOFT)
    document.cell(text=wording.TIME_ZONE)
    return bytes(document.output())


def _table(
    document: "FPDF", rows: Sequence[Sequence[str]], widths: tuple[int, ...], heading: Sequence[str] | None = None
) -> None:
    align = ("LEFT", *("RIGHT" for _ in widths[1:]))
    layout = {"borders_layout": "HORIZONTAL_LINES", "line_height": 7, "first_row_as_headings": heading is not None}
    with document.table(col_widths=widths, text_align=align, **layout) as table:
        for cells in (*((heading,) if heading else ()), *rows):
            table.row(cells)


def _chart(document: "FPDF", report: WeeklyReport) -> None:
    """Draw two bars per day."""
    left, base = document.l_margin, document.get_y() + HEIGHT
    slot = document.epw / len(report.of.days)
    document.set_font_size(9)
    for number, day in enumerate(report.of.days):
        x = left + number * slot + (slot - 2 * BAR - GAP) / 2
        for count, colour in ((day.created, CREATED), (day.completed, COMPLETED)):
            # 5 mm are for the number above the bar
            height = (HEIGHT - 5) * count / report.peak
            document.set_fill_color(*colour)
            document.rect(x, base - height, BAR, height, style="F")
            if count:
                document.set_xy(x - 2, base - height - 5)
                document.cell(BAR + 4, 5, str(count), align="C")
            x += BAR + GAP
        document.set_xy(left + number * slot, base + 1)
        document.cell(slot, 5, f"{day.date:%a}", align="C")
    document.line(left, base, left + document.epw, base)
    document.set_xy(left, base + 7)
    for name, colour in (("Created", CREATED), ("Completed", COMPLETED)):
        document.set_fill_color(*colour)
        document.rect(document.get_x(), document.get_y() + 1, 3, 3, style="F")
        document.set_x(document.get_x() + 4)
        document.cell(text=name, h=5)
        document.set_x(document.get_x() + 4)
    document.set_xy(left, base + 15)
    document.set_font_size(11)
