"""The catalogue's rules: until when a certificate holds, and in which state it is on a day."""

from datetime import date

import pytest

from regulation.catalogue import Validity, state_on, valid_until
from regulation.certificates import CertificateState


@pytest.mark.parametrize(
    ("issued_on", "years", "last_day"),
    [
        (date(2021, 3, 5), 5, date(2026, 3, 5)),
        (date(2020, 2, 29), 4, date(2024, 2, 29)),
        (date(2020, 2, 29), 5, date(2025, 2, 28)),
        (date(2021, 12, 31), 10, date(2031, 12, 31)),
    ],
)
def test_years_end_on_the_same_day_or_the_months_last(issued_on: date, years: int, last_day: date) -> None:
    assert valid_until(Validity.YEARS, years, issued_on, None) == last_day


def test_the_type_says_whether_the_printed_date_counts() -> None:
    printed = date(2030, 1, 1)
    assert valid_until(Validity.ON_FACE, None, date(2020, 1, 1), printed) == printed
    assert valid_until(Validity.ON_FACE, None, date(2020, 1, 1), None) is None
    assert valid_until(Validity.UNLIMITED, None, date(2020, 1, 1), printed) is None


def test_years_without_their_number_are_a_mistake_of_the_catalogue() -> None:
    with pytest.raises(ValueError, match="years"):
        valid_until(Validity.YEARS, None, date(2020, 1, 1), None)


@pytest.mark.parametrize("recorded", CertificateState)
@pytest.mark.parametrize("last_day", [None, date(2026, 3, 5), date(2026, 3, 6)])
def test_until_its_last_day_is_over_a_certificate_is_what_was_recorded(
    recorded: CertificateState, last_day: date | None
) -> None:
    assert state_on(date(2026, 3, 5), recorded, last_day) is recorded


@pytest.mark.parametrize(
    ("recorded", "state"),
    [
        ("valid", "expired"),
        ("suspended", "expired"),
        ("expired", "expired"),
        ("revoked", "revoked"),
        ("superseded", "superseded"),
    ],
)
def test_the_day_after_it_has_expired_unless_something_final_happened_before(recorded: str, state: str) -> None:
    assert state_on(date(2026, 3, 6), CertificateState(recorded), date(2026, 3, 5)) == state
