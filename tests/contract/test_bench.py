"""What is said of speed is what was measured."""

import pytest

from bench.load import parse

WRK = """Running 2s test @ http://127.0.0.1:8000/
  Latency Distribution
     50%  850.00us
     75%    1.20ms
     90%    2.00ms
     99%    1.06s
  100 requests in 2.00s, 1.0MB read
Requests/sec:     50.25
"""


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
