"""第十七条：电子督查。What the nightly rules say of counts: when they fire, and what is just not enough."""

from datetime import date, timedelta

import pytest

from regulation.online_supervision import JUDGES, RULES, Absence, Matter, Tallies, looking_back

PERIOD = looking_back(date(2026, 5, 30))
DAYS = [PERIOD.first + timedelta(days=n) for n in range(PERIOD.days)]


def daily(times: int, days: int = 30) -> dict[date, int]:
    return dict.fromkeys(DAYS[:days], times)


def usual_operators(far: int) -> Tallies:
    """Six operators of ten uses a day, one of them with a day of ``far``."""
    each = {("D", f"{mark}***·0"): daily(10) for mark in "ABCDEF"}
    each["D", "A***·0"][DAYS[-1]] = far
    return Tallies(operators=each)


def of_paper(matters: int, others: int = 5) -> Tallies:
    answered = {(f"D{n}", "I", "T"): daily(10) for n in range(others)} | {("D", "I", "T"): daily(4)}
    return Tallies(answered=answered, receipts={("D", "T"): daily(1, matters)})


FIRES_AND_MISSES = {
    "outside-list": (Tallies(refused={("D", "I"): daily(4, 5)}), Tallies(refused={("D", "I"): daily(10, 2)})),
    "one-matter": (
        Tallies(matters=[Matter("D", "I", "1", 20, 0, DAYS[0])]),
        Tallies(matters=[Matter("D", "I", "1", 19, 0, DAYS[0])]),
    ),
    "operator": (usual_operators(50), usual_operators(49)),
    "off-hours": (
        Tallies(desk={"D": {DAYS[0]: 160}}, off_hours={"D": {DAYS[0]: 50}}),
        Tallies(desk={"D": {DAYS[0]: 170}}, off_hours={"D": {DAYS[0]: 50}}),
    ),
    "listed-unused": (
        Tallies(answered={("D", "I", "T"): daily(10, 10)}, listed={("D", "I", "T"), ("D", "I", "U")}),
        Tallies(answered={("D", "I", "T"): daily(11, 9)}, listed={("D", "I", "T"), ("D", "I", "U")}),
    ),
    "paper": (of_paper(20), of_paper(19)),
    "expired": (
        Tallies(matters=[Matter("D", "I", str(n), 1, 1, DAYS[0]) for n in range(5)]),
        Tallies(matters=[Matter("D", "I", str(n), 1, n and 1, DAYS[0]) for n in range(5)]),
    ),
    "liaison-missing": (
        Tallies(absences=[Absence("D", PERIOD.last - timedelta(days=14), 2)]),
        Tallies(absences=[Absence("D", PERIOD.last - timedelta(days=13), 2)]),
    ),
}


@pytest.mark.parametrize("rule", [rule.code for rule in RULES])
def test_a_rule_fires_at_its_threshold_and_not_before(rule: str) -> None:
    fires, misses = FIRES_AND_MISSES[rule]
    (sign,) = JUDGES[rule](fires, PERIOD)
    assert (sign.rule, sign.department) == (rule, "D")
    assert "条）" in sign.facts
    assert list(JUDGES[rule](misses, PERIOD)) == []


@pytest.mark.parametrize("rule", [rule.code for rule in RULES])
def test_nothing_on_record_is_no_sign(rule: str) -> None:
    assert list(JUDGES[rule](Tallies(), PERIOD)) == []


def test_a_platform_that_is_down_for_everybody_is_held_against_nobody() -> None:
    tallies = of_paper(20)
    tallies.receipts |= {(f"D{n}", "T"): daily(1, 20) for n in range(5)}
    assert list(JUDGES["paper"](tallies, PERIOD)) == []


def test_too_few_peers_are_no_measure() -> None:
    assert list(JUDGES["paper"](of_paper(20, others=4), PERIOD)) == []
