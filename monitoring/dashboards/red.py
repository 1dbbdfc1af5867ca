"""Rate, errors and duration of requests, as the API counts them."""

from typing import Final

from monitoring.dashboards.panels import WINDOW

COUNT: Final = "flask_http_request_duration_seconds_count"
_BUCKET: Final = "flask_http_request_duration_seconds_bucket"


def rate(by: str, selector: str = "") -> str:
    """Answers a second.

    Args:
        by: labels of the result, separated by commas.
        selector: of the series, without braces.
    """
    return f"sum by ({by}) (rate({COUNT}{{{selector}}}[{WINDOW}]))"


def errors(by: str, selector: str = "") -> str:
    """The share of answers that are errors of ours. Where there are none there is no series: hence `or 0 *`."""
    failed, every = rate(by, f'status=~"5..",{selector}'.rstrip(",")), rate(by, selector)
    return f"({failed} or 0 * {every}) / {every}"


def quantile(share: float, by: str, selector: str = "") -> str:
    """The time within which a share of the answers is given."""
    labels = f"le, {by}" if by else "le"
    return f"histogram_quantile({share}, sum by ({labels}) (rate({_BUCKET}{{{selector}}}[{WINDOW}])))"
