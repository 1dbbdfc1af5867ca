"""Figures of the bench in README and report are those of the results file."""

import json
from pathlib import Path

import pytest

from bench import gateway_report, report
from bench.load import Measured, parse

WRK = """Running 2s test @ http://127.0.0.1:8000/
  Latency Distribution
     50%  850.00us
     75%    1.20ms
     90%    2.00ms
     99%    1.06s
  100 requests in 2.00s, 1.0MB read
Requests/sec:     50.25
"""


def test_the_readme_and_the_report_show_the_results_file(tmp_path: Path) -> None:
    results = json.loads((report.RESULTS / "results.json").read_text())
    readme = report.README.read_text()
    assert report.BEGIN in readme
    assert report.in_readme(readme, results) == readme
    report.write(results, tmp_path)
    for file in ("results.json", "results.md", "results.svg"):
        assert (report.RESULTS / file).read_text() == (tmp_path / file).read_text()


def test_every_row_is_the_minimum_median_and_maximum_of_five_rounds_or_more() -> None:
    for row in json.loads((report.RESULTS / "results.json").read_text())["rows"]:
        rates = sorted(row["rates"])
        assert len(rates) >= 5
        assert (row["minimum"], row["maximum"]) == (round(rates[0]), round(rates[-1]))
        assert row["minimum"] <= row["median"] <= row["maximum"]


def test_a_report_of_wrk_is_read_in_milliseconds() -> None:
    measured = parse(WRK)
    assert (measured.rate, measured.median_ms, measured.p99_ms) == (50.25, 0.85, 1060.0)


@pytest.mark.parametrize("line", ["  Non-2xx or 3xx responses: 3\n", "  Socket errors: connect 0, read 1\n"])
def test_a_run_with_failures_counts_for_nothing(line: str) -> None:
    with pytest.raises(RuntimeError, match="requests failed"):
        parse(WRK + line)


def test_a_run_without_an_answer_counts_for_nothing() -> None:
    with pytest.raises(RuntimeError, match="no request was answered"):
        parse(WRK.replace("  100 requests", "  0 requests"))


def test_the_page_of_the_gateway_shows_what_takes_time_and_the_sum_of_all() -> None:
    fast, slow = Measured(2000.0, 5.0, 9.0), Measured(500.0, 20.0, 60.0)
    rounds = [gateway_report.Round(fast, slow, {"istio, proxy": ms, "beat, beat": 0.001}) for ms in (0.5, 0.6, 0.7)]
    shown = gateway_report.page(rounds, 45, 12)
    assert "| c, through the gateway | 500 | 500 | 500 | 20.0 | 60.0 |" in shown
    assert "| istio, proxy | 0.50 | 0.60 | 0.70 |" in shown
    assert "beat, beat" not in shown
    assert "| all parts of the stack | 0.50 | 0.60 | 0.70 |" in shown
