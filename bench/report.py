"""The results as JSON, as a Markdown table and as a chart."""

import json
from html import escape
from pathlib import Path
from statistics import median
from typing import Any

RESULTS = Path(__file__).parent / "results"
README = Path(__file__).parents[1] / "README.md"
BEGIN, END = "<!-- bench: written by make bench -->\n", "<!-- /bench -->"
WIDTH, ROW, LABEL = 900, 26, 330


def write(results: dict[str, Any], folder: Path = RESULTS) -> None:
    """Write results.json, results.md and results.svg."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(results, indent=2) + "\n")
    (folder / "results.md").write_text(markdown(results))
    (folder / "results.svg").write_text(chart(results["rows"], [import_row(results["imports"])]))


def in_readme(text: str, results: dict[str, Any]) -> str:
    """Return the README with the figures of these results between its marks."""
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}{summary(results)}{END}{rest.partition(END)[2]}"


def summary(results: dict[str, Any]) -> str:
    """Return how it was measured, and the table."""
    return (
        f"Requests a second of one worker, {results['connections']} connections, {results['rounds']} rounds of"
        f" {results['seconds']} s, interleaved; {results['machine']}. The load average was {results['load_average']}"
        f" when it began: only far below 1 are the figures those of an idle machine.\n\n{table(results['rows'])}"
    )


def row(
    key: str, what: str, server: str, rates: list[float], medians: list[float], p99s: list[float], cpu: list[float]
) -> dict[str, Any]:
    """Return what is written of one target: requests a second over all rounds, and the medians of the rest.

    Args:
        medians: latencies, milliseconds, as p99s.
        cpu: processor time of the server for a request, milliseconds.
    """
    return {
        "key": key,
        "what": what,
        "server": server,
        "rates": rates,
        "minimum": round(min(rates)),
        "median": round(median(rates)),
        "maximum": round(max(rates)),
        "median_ms": round(median(medians), 2),
        "p99_ms": round(median(p99s), 2),
        "cpu_ms": round(median(cpu), 2),
    }


def import_row(imports: dict[str, Any]) -> dict[str, Any]:
    """Return what the chart shows of the imports: rows a second."""
    rates = imports["rates"]
    return {
        "key": "h",
        "what": "import, rows a second",
        "server": "worker",
        "minimum": min(rates),
        "median": round(median(rates)),
        "maximum": max(rates),
    }


def table(rows: list[dict[str, Any]]) -> str:
    """Return the table of the requests a second, which the README shows too."""
    lines = [
        "| | what | server | minimum | median | maximum | ms, median | ms, 99 % |",
        "|---|---|---|--:|--:|--:|--:|--:|",
    ]
    for line in rows:
        figures = (f"{line[name]:,}" for name in ("minimum", "median", "maximum", "median_ms", "p99_ms"))
        lines.append(f"| {line['key']} | {line['what']} | {line['server']} | {' | '.join(figures)} |")
    return "\n".join(lines) + "\n"


def markdown(results: dict[str, Any]) -> str:
    """Return the whole report."""
    parts = [
        f"# Bench\n\n{summary(results)}",
        "| aim | reached | met |\n|---|--:|---|\n"
        + "".join(
            f"| {aim['aim']} | {aim['reached']:,} | {'yes' if aim['met'] else 'no'} |\n" for aim in results["aims"]
        ),
        (
            f"Start to ready: {results['ready_seconds']} s (median). Resident memory of a worker after the load:"
            f" {results['worker_mib']} MiB.\n"
        ),
    ]
    imports = results["imports"]
    line, large = import_row(imports), imports["large"]
    parts.append(
        "| import into PostgreSQL | rows a second: minimum | median | maximum | peak memory, MiB |\n"
        "|---|--:|--:|--:|--:|\n"
        f"| {imports['rows']:,} rows, {len(imports['rates'])} times | {line['minimum']:,} | {line['median']:,}"
        f" | {line['maximum']:,} | {imports['peak_mib']} |\n"
        f"| {large['rows']:,} rows ({large['mib']:,} MiB), once | | {large['rate']:,} | | {large['peak_mib']} |\n"
    )
    if growth := results.get("growth"):
        parts.append(
            "| tasks | first page, ms | deep page, ms |\n|--:|--:|--:|\n"
            + "".join(f"| {g['tasks']:,} | {g['first_ms']} | {g['deep_ms']} |\n" for g in growth)
        )
    return "\n".join(parts)


def chart(*groups: list[dict[str, Any]]) -> str:
    """Return bars of the medians, with lines from minimum to maximum; each group has a scale of its own."""
    rows = [(line, max(other["maximum"] for other in group)) for group in groups for line in group]
    height = ROW * len(rows) + 20
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif"'
            f' font-size="13"><title>Requests a second</title><rect width="{WIDTH}" height="{height}" fill="#fff"/>'
        )
    ]
    for number, (line, most) in enumerate(rows):
        scale = (WIDTH - LABEL - 80) / most
        top = 10 + number * ROW
        low, middle, high = (LABEL + line[name] * scale for name in ("minimum", "median", "maximum"))
        parts.append(
            f'<text x="{LABEL - 8}" y="{top + 15}" text-anchor="end">'
            f"{escape(line['key'])} {escape(line['what'])} · {escape(line['server'])}</text>"
            f'<rect x="{LABEL}" y="{top + 3}" width="{middle - LABEL:.1f}" height="{ROW - 8}" fill="#3b6ea5"/>'
            f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{top + 12}" y2="{top + 12}" stroke="#d9822b" stroke-width="2"/>'
            f'<text x="{high + 6:.1f}" y="{top + 16}">{line["median"]:,}</text>'
        )
    return "\n".join([*parts, "</svg>\n"])
