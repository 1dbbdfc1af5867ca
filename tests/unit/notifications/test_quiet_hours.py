"""Quiet hours by the wall clock of any time zone, also on days of a clock change."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.notifications.quiet_hours import QuietHours

MINUTE = timedelta(minutes=1)
NIGHT = QuietHours(time(22), time(7))

WALL_TIMES = st.builds(time, st.integers(0, 23), st.integers(0, 59))
ZONES = st.sampled_from(sorted(available_timezones()))
TIMES = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 in UTC, as they say


@st.composite
def quiet_hours(draw: st.DrawFn) -> QuietHours:
    start, end = draw(st.tuples(WALL_TIMES, WALL_TIMES).filter(lambda pair: pair[0] != pair[1]))
    return QuietHours(start, end)


@given(quiet_hours(), TIMES, ZONES)
@settings(max_examples=300, deadline=None)
def test_they_end_at_the_first_minute_whose_wall_clock_is_outside(hours: QuietHours, now: datetime, zone: str) -> None:
    def quiet(moment: datetime) -> bool:
        return hours.include(moment.astimezone(ZoneInfo(zone)).time())

    until = hours.until(now, zone)
    assert (until is None) == (not quiet(now))
    if until is not None:
        assert now < until
        assert not quiet(until)
        before = until - MINUTE
        while before > now:
            assert quiet(before)
            before -= MINUTE


@given(quiet_hours(), TIMES, ZONES)
@settings(max_examples=100, deadline=None)
def test_nobody_waits_longer_than_the_hours_and_a_clock_change(hours: QuietHours, now: datetime, zone: str) -> None:
    if until := hours.until(now, zone):
        start, end = (wall.hour * 60 + wall.minute for wall in (hours.start, hours.end))
        # No zone has moved its clock by more than an hour within these years, except where a day was skipped before.
        assert until - now <= timedelta(minutes=(end - start) % (24 * 60) + 120)


def at(text: str, zone: str = "Europe/Berlin", fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)


@pytest.mark.parametrize(
    ("hours", "now", "until"),
    [
        (NIGHT, at("2030-06-01 21:59"), None),
        (NIGHT, at("2030-06-01 22:00"), at("2030-06-02 07:00")),
        (NIGHT, at("2030-06-02 06:59"), at("2030-06-02 07:00")),
        (NIGHT, at("2030-06-02 07:00"), None),
        (QuietHours(time(12), time(14)), at("2030-06-01 13:00"), at("2030-06-01 14:00")),
        (QuietHours(time(12), time(14)), at("2030-06-01 23:00"), None),
        # The night in which the clocks go forward from 02:00 to 03:00 has an hour less.
        (NIGHT, at("2030-03-30 22:00"), datetime(2030, 3, 31, 5, tzinfo=UTC)),
        (QuietHours(time(22), time(2, 30)), at("2030-03-31 01:59"), at("2030-03-31 03:00")),
        # The night in which they go back from 03:00 to 02:00 has an hour more.
        (NIGHT, at("2030-10-26 22:00"), datetime(2030, 10, 27, 6, tzinfo=UTC)),
        (QuietHours(time(2), time(3)), at("2030-10-27 02:30"), at("2030-10-27 03:00")),
        (QuietHours(time(2, 15), time(2, 45)), at("2030-10-27 02:30"), at("2030-10-27 02:45")),
        (QuietHours(time(2, 15), time(2, 45)), at("2030-10-27 02:30", fold=1), at("2030-10-27 02:45", fold=1)),
    ],
)
def test_they_follow_the_clock(hours: QuietHours, now: datetime, until: datetime | None) -> None:
    zone = "Europe/Berlin"
    assert hours.until(now.astimezone(UTC), zone) == (until and until.astimezone(UTC))
