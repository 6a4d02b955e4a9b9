"""What ``make faults`` plans is the same for the same seed. Whether all ended as it should it says itself."""

from pathlib import Path

from tests.conftest import certificates_with_address
from tests.faults.lives import lives, proportions
from tests.faults.storm import kills

SEED, CASES = 330603, 12


def test_the_same_seed_draws_the_same(sample_data: Path) -> None:
    held = certificates_with_address() * CASES
    first, second, other = (lives(seed, CASES, list(held)) for seed in (SEED, SEED, SEED + 1))
    assert [(life.end.name, life.ways) for life in first] == [(life.end.name, life.ways) for life in second]
    assert [life.ways for life in first] != [life.ways for life in other]
    assert proportions(first) == proportions(other)
    assert kills(SEED, 10, 200, 550) == kills(SEED, 10, 200, 550) != kills(SEED + 1, 10, 200, 550)
    assert [kill.round for kill in kills(SEED, 10, 200, 550)] == sorted([*range(1, 11)] * 4)
