"""第十七条：电子督查。What the nightly rules say of counts: when they fire, and what is just not enough."""

from datetime import date, timedelta

import pytest

from regulation.online_supervision import JUDGES, RULES, SHOWN, Absence, Matter, Tallies, is_code, looking_back

PERIOD = looking_back(date(2026, 5, 30))
DAYS = [PERIOD.first + timedelta(days=n) for n in range(PERIOD.days)]
NUMBER = "俞小云13800138000"
"""A business number of the worst kind."""


def daily(times: int, days: int = 30) -> dict[date, int]:
    return dict.fromkeys(DAYS[:days], times)


def usual_operators(far: int) -> Tallies:
    """Six operators of ten uses a day, one of them with a day of ``far``."""
    each = {("D", f"操作员·{mark}"): daily(10) for mark in "ABCDEF"}
    each["D", "操作员·A"][DAYS[-1]] = far
    return Tallies(operators=each, meant={"操作员·A": "工号张三丰"})


def one_number(holders: int) -> Tallies:
    return Tallies(matters=[Matter("D", "I", NUMBER, (DAYS[0],) * holders)])


def not_valid(matters: int) -> Tallies:
    return Tallies(matters=[Matter("D", "I", f"{NUMBER}{n}", (), (DAYS[0],)) for n in range(matters)])


def of_paper(matters: int, others: int = 5) -> Tallies:
    answered = {(f"D{n}", "I", "T"): daily(10) for n in range(others)} | {("D", "I", "T"): daily(4)}
    return Tallies(answered=answered, receipts={("D", "T"): daily(1, matters)})


FIRES_AND_MISSES = {
    "outside-list": (Tallies(refused={("D", "I"): daily(4, 5)}), Tallies(refused={("D", "I"): daily(10, 2)})),
    "one-matter": (one_number(20), one_number(19)),
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
    "not-valid": (not_valid(5), not_valid(4)),
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


@pytest.mark.parametrize(
    ("rule", "particulars"),
    [
        ("operator", "操作员·A即工号张三丰。"),
        ("one-matter", f"业务办件编号：{NUMBER}（20个持证主体）。"),
        ("not-valid", f"业务办件编号：{'、'.join(f'{NUMBER}{n}' for n in range(5))}。"),
    ],
)
def test_what_callers_wrote_is_for_the_department_alone(rule: str, particulars: str) -> None:
    (sign,) = JUDGES[rule](FIRES_AND_MISSES[rule][0], PERIOD)
    assert sign.particulars == particulars
    assert not any(word in sign.facts + sign.subject for word in ("张三丰", "俞小云", "138"))


def test_of_many_business_numbers_some_are_shown() -> None:
    (sign,) = JUDGES["not-valid"](not_valid(SHOWN + 1), PERIOD)
    assert sign.particulars.count(NUMBER) == SHOWN
    assert sign.particulars.endswith(f"等共{SHOWN + 1}个。")


def test_of_an_operator_it_is_said_on_which_day() -> None:
    (sign,) = JUDGES["operator"](usual_operators(50), PERIOD)
    assert f"操作员·A于{DAYS[-1]}用证50次，而其每天用证次数的中位数为10次" in sign.facts


@pytest.mark.parametrize("rule", ["one-matter", "not-valid"])
def test_of_a_business_case_only_what_happened_since_a_day_counts(rule: str) -> None:
    tallies = FIRES_AND_MISSES[rule][0]
    assert len(list(JUDGES[rule](tallies.since(DAYS[0]), PERIOD))) == 1
    tallies.matters[0] = tallies.matters[0]._replace(holders=(*tallies.matters[0].holders, DAYS[1]))
    assert list(JUDGES[rule](tallies.since(DAYS[1]), PERIOD)) == []


@pytest.mark.parametrize(
    "written",
    [
        "330603199001011234",
        "330603-1990-0101-1234",
        "330603 19900101 1234",
        "138-0013-8000",
        "13800138000",
        "0575-8412-0001",
        "8412-0001",
        "91330621MA2XXXXX1Q",
        "9133-0621-MA2X",
        "E12345678",
        "俞小云",
        "YUXIAOYUN",
        "yu-xiao",
        "SP-2026",
        "330603-SCJG-001-俞",
        "",
    ],
)
def test_what_may_be_a_person_is_no_code(written: str) -> None:
    assert is_code(written) is (written == "SP-2026")
