"""GB/T 2828.1: the tables as their public copies have them, cell by cell, and draws that anybody can repeat."""

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulation.backfill.acceptance_sampling import DEFAULT_AQL, Aql, Plan, code_letter, draw, sampling_plan
from regulation.limits import BACKFILL_AQL, Unit

LOTS = [
    (2, 8, "A"),
    (9, 15, "B"),
    (16, 25, "C"),
    (26, 50, "D"),
    (51, 90, "E"),
    (91, 150, "F"),
    (151, 280, "G"),
    (281, 500, "H"),
    (501, 1200, "J"),
    (1201, 3200, "K"),
    (3201, 10_000, "L"),
    (10_001, 35_000, "M"),
    (35_001, 150_000, "N"),
    (150_001, 500_000, "P"),
    (500_001, 2_000_000, "Q"),
]
# Sample size and acceptance number by code letter A to Q, arrows resolved, written down apart from the rule's own way.
TABLE_2A = {
    "0.65": "20/0 20/0 20/0 20/0 20/0 20/0 20/0 80/1 80/1 125/2 200/3 315/5 500/7 800/10 1250/14",
    "1.0": "13/0 13/0 13/0 13/0 13/0 13/0 50/1 50/1 80/2 125/3 200/5 315/7 500/10 800/14 1250/21",
    "1.5": "8/0 8/0 8/0 8/0 8/0 32/1 32/1 50/2 80/3 125/5 200/7 315/10 500/14 800/21 800/21",
    "2.5": "5/0 5/0 5/0 5/0 20/1 20/1 32/2 50/3 80/5 125/7 200/10 315/14 500/21 500/21 500/21",
    "4.0": "3/0 3/0 3/0 13/1 13/1 20/2 32/3 50/5 80/7 125/10 200/14 315/21 315/21 315/21 315/21",
}


@pytest.mark.parametrize(("smallest", "largest", "letter"), LOTS)
def test_every_lot_has_its_letter(smallest: int, largest: int, letter: str) -> None:
    assert code_letter(smallest) == code_letter(largest) == letter


@pytest.mark.parametrize("aql", Aql)
def test_every_plan_of_the_five_columns(aql: Aql) -> None:
    for (smallest, largest, _), cell in zip(LOTS, TABLE_2A[aql].split(), strict=True):
        size, accept = map(int, cell.split("/"))
        for lot in (smallest, largest):
            plan = sampling_plan(lot, aql)
            assert (plan.size, plan.accept) == (min(size, lot), accept), lot


@pytest.mark.parametrize(
    ("lot", "aql", "letter", "size", "accept"),
    [
        (5000, Aql.AQL_1_0, "L", 200, 5),
        (1000, Aql.AQL_1_0, "J", 80, 2),
        (50_000, Aql.AQL_1_0, "N", 500, 10),
        (1000, Aql.AQL_2_5, "J", 80, 5),
        (1000, Aql.AQL_4_0, "J", 80, 7),
        (200, Aql.AQL_1_0, "H", 50, 1),
        (120, Aql.AQL_1_0, "E", 13, 0),
    ],
)
def test_plans_that_every_inspector_knows(lot: int, aql: Aql, letter: str, size: int, accept: int) -> None:
    assert sampling_plan(lot, aql) == Plan(letter, size, accept)


@pytest.mark.parametrize("aql", Aql)
def test_inspecting_all_accepts_with_nothing_wrong_only(aql: Aql) -> None:
    for lot in range(1, 300):
        plan = sampling_plan(lot, aql)
        assert plan.size <= lot
        assert plan.size < lot or plan.accept == 0


def test_the_default_is_the_limit() -> None:
    assert (BACKFILL_AQL.value, BACKFILL_AQL.unit, DEFAULT_AQL) == (100, Unit.PER_TEN_THOUSAND, Aql.AQL_1_0)
    assert sampling_plan(5000) == sampling_plan(5000, Aql.AQL_1_0)


def test_nothing_is_no_lot() -> None:
    with pytest.raises(ValueError, match="without a row"):
        sampling_plan(0)


populations = st.lists(st.text(min_size=1, max_size=8), unique=True, max_size=40)


@given(populations, st.text(max_size=8), st.data())
def test_a_draw_does_not_depend_on_the_order_of_its_population(
    population: list[str], seed: str, data: st.DataObject
) -> None:
    size = data.draw(st.integers(0, len(population)))
    drawn = draw(population, size, seed)
    assert len(set(drawn)) == size
    assert set(drawn) <= set(population)
    assert draw(data.draw(st.permutations(population)), size, seed) == drawn
    assert draw(population, len(population), seed)[:size] == drawn


def test_anybody_can_repeat_a_draw() -> None:
    rows = [str(row) for row in range(1, 101)]
    by_hand = sorted(rows, key=lambda row: hmac.new("批次1".encode(), row.encode(), hashlib.sha256).hexdigest())
    assert draw(rows, 13, "批次1") == by_hand[:13]
    assert draw(rows, 13, "批次2") != by_hand[:13]


def test_a_draw_of_a_known_seed_is_the_same_for_ever() -> None:
    drawn = draw([str(row) for row in range(1, 1001)], 5, "2026-BL-1")
    assert drawn == ["797", "565", "396", "474", "852"]


def test_no_name_comes_twice_and_no_sample_is_larger_than_its_population() -> None:
    with pytest.raises(ValueError, match="twice"):
        draw(["1", "1"], 1, "seed")
    with pytest.raises(ValueError, match="larger"):
        draw(["1"], 2, "seed")
