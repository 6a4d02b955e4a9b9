"""The draw: fair, weighted, with its floor, and to be made again by anybody from what is published (Article 17)."""

import json
import math
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from regulation.spot_check_draws import (
    METHOD,
    NUMBERS,
    CheckedDepartment,
    Draw,
    Eligible,
    Frozen,
    ListedItem,
    NoTeamError,
    Subject,
    Team,
    commitment,
    differences,
    draw_key,
    draw_sample,
    draw_teams,
    list_hash,
    log2,
    next_inspector,
    risk_weight,
    sample_size,
)
from runtime.refusals import InputError
from tasks.spot_checks.files import check_file, draw_of, text_of
from tests.conftest import ROOT

ON = date(2026, 7, 1)
SEEDS = [f"{number:064x}" for number in range(1, 2001)]


def subject(number: int, department: str = "D1", kind: str = "用证", **facts: Any) -> Subject:
    said = {"findings": 0, "complaints": 0, "volume": 0, "last_checked_on": ON} | facts
    weight = risk_weight(**said, on=ON)
    return Subject(
        f"U/{department}/{number:04}", department, kind, f"事项{number}", f"S-{number}", weight=weight, **said
    )


def frozen(
    objects: list[Subject], inspectors: list[Eligible] | None = None, rate: int = 500, **complaints: int
) -> Frozen:
    codes = sorted({each.department for each in objects})
    return Frozen(
        METHOD,
        NUMBERS,
        "CC-2026-000001",
        ON,
        date(2026, 4, 1),
        date(2026, 6, 30),
        rate,
        tuple(CheckedDepartment(code, f"{code}局", complaints.get(code, 0)) for code in codes),
        tuple(sorted(objects, key=lambda each: each.id)),
        tuple(inspectors if inspectors is not None else [Eligible(f"KQ{number:03}", ()) for number in range(1, 7)]),
        (ListedItem("SC-01", "有业务办件", 6, "逐次核对", ("用证",), "spot-check-use"),),
    )


def a_round() -> Frozen:
    """Three departments, forty objects each, with all kinds of facts."""
    objects = [
        subject(
            number,
            department,
            findings=number % 7,
            complaints=number % 4,
            volume=number**3,
            last_checked_on=None if number % 3 else date(2025, number % 12 + 1, 1),
        )
        for department in ("D1", "D2", "D3")
        for number in range(40)
    ]
    inspectors = [Eligible("KQ001", ("D1",)), Eligible("KQ002", ("D2",)), Eligible("KQ003", ()), Eligible("KQ004", ())]
    return frozen(objects, inspectors, D2=2)


def make_draw(listed: Frozen, seed: str) -> Draw:
    """The whole draw, as a round makes it step by step."""
    hashed, sample = list_hash(listed), draw_sample(listed, seed)
    teams = draw_teams(listed, seed, sample)
    return Draw(listed, hashed, seed, commitment(hashed, seed), tuple(each.id for each in sample), teams)


def chi_square(observed: Counter[str], expected: dict[str, float]) -> float:
    return sum((observed[name] - number) ** 2 / number for name, number in expected.items())


# 公平


def test_objects_of_equal_weight_are_drawn_equally_often() -> None:
    objects = [subject(number) for number in range(20)]
    listed = frozen(objects)
    drawn = Counter(each.id for seed in SEEDS for each in draw_sample(listed, seed))
    assert drawn.total() == len(SEEDS)
    # Chi-square with 19 degrees of freedom exceeds 43.8 once in a thousand times.
    assert chi_square(drawn, {each.id: len(SEEDS) / 20 for each in objects}) < 43.8


def test_pairs_of_equal_weight_are_drawn_equally_often() -> None:
    listed = frozen([subject(number) for number in range(6)], rate=3000)
    pairs = Counter("+".join(sorted(each.id for each in draw_sample(listed, seed))) for seed in SEEDS)
    assert len(pairs) == 15
    # 14 degrees of freedom.
    assert chi_square(pairs, dict.fromkeys(pairs, len(SEEDS) / 15)) < 36.1


def test_an_object_is_drawn_first_in_proportion_to_its_weight() -> None:
    facts = [{}, {"findings": 1}, {"findings": 3}, {"complaints": 2, "findings": 2}, {"volume": 10**6}, {"findings": 5}]
    objects = [subject(number, **given) for number, given in enumerate(facts)]
    weights = {each.id: each.weight for each in objects}
    assert list(weights.values()) == [10, 20, 40, 70, 50, 60]
    drawn = Counter(each.id for seed in SEEDS for each in draw_sample(frozen(objects, rate=500), seed))
    # 5 degrees of freedom.
    assert chi_square(drawn, {name: len(SEEDS) * weight / 250 for name, weight in weights.items()}) < 20.5


def test_inspectors_are_drawn_equally_often() -> None:
    listed = frozen([subject(1)])
    drawn = Counter(
        staff_no for seed in SEEDS for team in draw_teams(listed, seed, listed.objects) for staff_no in team.inspectors
    )
    # Two of six at a time: the variance is less than a multinomial's, so the bound of 5 degrees of freedom holds.
    assert chi_square(drawn, {each.staff_no: len(SEEDS) / 3 for each in listed.inspectors}) < 20.5


# 比例和权重


def test_every_stratum_is_drawn_from_and_the_rate_is_a_floor() -> None:
    objects = [subject(1, "D1"), *(subject(number, "D2") for number in range(41))]
    objects += [subject(number, "D2", "补录证照") for number in range(100, 103)]
    drawn = Counter((each.department, each.kind) for each in draw_sample(frozen(objects), SEEDS[0]))
    assert drawn == {("D1", "用证"): 1, ("D2", "用证"): 3, ("D2", "补录证照"): 1}


def test_a_department_that_was_complained_about_is_checked_more_up_to_a_bound() -> None:
    objects = [subject(number) for number in range(100)]
    sizes = [len(draw_sample(frozen(objects, D1=complaints), SEEDS[0])) for complaints in range(6)]
    assert sizes == [5, 10, 15, 20, 20, 20]
    assert sample_size(3, 10_000, 3) == 3


def test_the_weight_grows_with_each_risk_and_is_bounded() -> None:
    def weight(findings: int = 0, complaints: int = 0, volume: int = 0, last: date | None = ON) -> int:
        return risk_weight(findings, complaints, volume, last, ON)

    assert [weight(findings=each) for each in (0, 1, 5, 6)] == [10, 20, 60, 60]
    assert [weight(complaints=each) for each in (0, 1, 3, 4)] == [10, 30, 70, 70]
    assert [weight(volume=each) for each in (0, 1, 2, 3, 4, 1000)] == [10, 12, 14, 14, 16, 30]
    days = [date(2026, 4, 3), date(2026, 4, 2), date(2025, 1, 1), date(2015, 1, 1), None]
    assert [weight(last=each) for each in days] == [10, 13, 28, 34, 34]


def test_the_logarithm_is_right_far_beyond_a_float() -> None:
    for number in (3, 10, 12345, 2**255 + 1, 2**256 - 1, 7**80):
        assert abs(log2(number) / 2**64 - math.log2(number)) < 1e-12
    assert abs(Fraction(log2(3) + log2(5) - log2(15), 2**64)) < Fraction(1, 2**58)


def test_a_key_known_for_good() -> None:
    assert draw_key("11" * 32, "U/D1/0001", 10) == Fraction(52716305427317797425, 10)


# 检查组


def test_nobody_checks_a_department_that_is_barred_to_them() -> None:
    inspectors = [
        Eligible("KQ001", ("D1",)),
        Eligible("KQ002", ("D1", "D2")),
        Eligible("KQ003", ()),
        Eligible("KQ004", ()),
    ]
    listed = frozen([subject(1, "D1"), subject(1, "D2"), subject(1, "D3")], inspectors)
    barred = {each.staff_no: each.barred for each in inspectors}
    for seed in SEEDS[:200]:
        for team in draw_teams(listed, seed, listed.objects):
            assert len(set(team.inspectors)) == 2
            assert not any(team.department in barred[staff_no] for staff_no in team.inspectors)
        assert next(iter(draw_teams(listed, seed, listed.objects))).inspectors in {
            ("KQ003", "KQ004"),
            ("KQ004", "KQ003"),
        }


def test_inspectors_carry_the_same_load_within_one_department() -> None:
    objects = [subject(number, f"D{department:02}") for department in range(24) for number in range(1 + department % 4)]
    listed = frozen(objects)
    for seed in SEEDS[:100]:
        load: Counter[str] = Counter()
        for team in draw_teams(listed, seed, listed.objects):
            size = sum(each.department == team.department for each in objects)
            load.update(dict.fromkeys(team.inspectors, size))
        assert load.total() == 2 * len(objects)
        assert max(load.values()) - min(load.values()) <= 4


def test_without_two_who_may_check_there_is_no_team() -> None:
    listed = frozen([subject(1)], [Eligible("KQ001", ()), Eligible("KQ002", ("D1",))])
    with pytest.raises(
        NoTeamError, match=r"“D1局”只有1名检查人员可以检查（须2名.*请先在“检查人员名录”中增加检查人员。"
    ):
        draw_teams(listed, SEEDS[0], listed.objects)


def test_whoever_cannot_check_is_replaced_by_the_next_of_the_draw() -> None:
    inspectors = [Eligible("KQ001", ()), Eligible("KQ002", ()), Eligible("KQ003", ()), Eligible("KQ004", ("D1",))]
    listed = frozen([subject(1)], inspectors)
    for seed in SEEDS[:50]:
        (team,) = draw_teams(listed, seed, listed.objects)
        other = next_inspector(inspectors, seed, team, team.inspectors[0])
        assert {*team.inspectors, other} == {"KQ001", "KQ002", "KQ003"}
    with pytest.raises(NoTeamError, match="没有更换"):
        next_inspector(inspectors, SEEDS[0], Team("D1", ("KQ002", "KQ003")), "KQ001")


# 承诺与重算


def test_the_commitment_binds_list_and_seed() -> None:
    listed = a_round()
    other = replace(listed, rate=600)
    assert commitment(list_hash(listed), SEEDS[0]) != commitment(list_hash(other), SEEDS[0])
    assert commitment(list_hash(listed), SEEDS[0]) != commitment(list_hash(listed), SEEDS[1])


def test_a_draw_is_made_again_from_its_file_alone() -> None:
    draw = make_draw(a_round(), SEEDS[7])
    text = text_of(draw)
    assert draw_of(text) == draw
    assert check_file(text) == []
    # However the file is set out.
    assert check_file(json.dumps(json.loads(text), indent=2, ensure_ascii=True)) == []
    assert check_file(text, draw.commitment.upper()) == []


def altered(value: Any) -> Any:
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case str() if len(value) == 64:
            return value[:-1] + ("0" if value[-1] != "0" else "1")
        case str() if len(value) == 10 and value[4] == "-":
            return str(date.fromisoformat(value) + timedelta(days=1))
        case None:
            return "2026-01-01"
        case list():
            return value[:-1] if value else ["D9"]
    return f"{value}x"


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place of a document that holds a value or a list; of long lists the first and the last element."""
    found = [path] if not isinstance(value, dict) and path else []
    if isinstance(value, dict):
        parts = list(value.items())
    elif isinstance(value, list):
        parts = list(enumerate(value))
        parts = parts[:1] + parts[-1:] if len(parts) > 1 else parts
    else:
        parts = []
    for name, part in parts:
        found += places(part, (*path, name))
    return found


def changed(document: Any, path: tuple[Any, ...], change: Callable[[Any], Any]) -> str:
    copied = json.loads(json.dumps(document))
    place = copied
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = change(place[path[-1]])
    return json.dumps(copied, ensure_ascii=False)


DOCUMENT = json.loads(text_of(make_draw(a_round(), SEEDS[7])))


@pytest.mark.parametrize("path", places(DOCUMENT), ids=lambda path: ".".join(map(str, path)))
def test_a_change_of_any_value_in_the_file_is_found(path: tuple[Any, ...]) -> None:
    tampered = changed(DOCUMENT, path, altered)
    assert json.loads(tampered) != DOCUMENT
    try:
        found = check_file(tampered)
    except InputError:
        return
    assert found, path
    assert all(said.endswith("。") for said in found)


def test_what_a_forger_recomputes_is_found_by_the_commitment_published_before() -> None:
    honest = make_draw(a_round(), SEEDS[7])
    forged = make_draw(replace(a_round(), objects=a_round().objects[1:]), SEEDS[8])
    assert check_file(text_of(forged)) == []
    assert "不是抽取前公布的" in check_file(text_of(forged), honest.commitment)[0]


def test_nothing_is_drawn_from_a_list_or_a_seed_that_was_not_committed() -> None:
    honest = make_draw(a_round(), SEEDS[7])
    for other in (
        replace(honest, frozen=replace(honest.frozen, rate=10_000)),
        replace(honest, seed=SEEDS[8]),
        replace(honest, frozen=replace(honest.frozen, objects=honest.frozen.objects[1:]), sample=()),
    ):
        said = check_file(text_of(other), honest.commitment)
        assert f"不是抽取前公布的承诺值{honest.commitment}所锁定的，没有用来重新抽取" in said[-1]
        assert not any("应抽中" in each or "检查组" in each for each in said)
    said = check_file(text_of(replace(honest, sample=honest.sample[1:])), honest.commitment)
    assert said == [f"应抽中而文件中没有：{honest.sample[0]}。"]


def test_two_objects_that_changed_places_in_the_sample_are_found() -> None:
    draw = make_draw(a_round(), SEEDS[7])
    swapped = replace(draw, sample=(draw.sample[1], draw.sample[0], *draw.sample[2:]))
    assert differences(swapped) == ["抽中的对象顺序不符，或者有重复。"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[1]",
        "null",
        "不是JSON",
        json.dumps(DOCUMENT | {"extra": 1}),
        json.dumps(DOCUMENT | {"seed": "zz" * 32}),
        json.dumps(DOCUMENT | {"seed": "11"}),
        json.dumps(DOCUMENT)[:-1] + ', "seed": "' + "1" * 64 + '"}',
        "[" * 100_000,
        json.dumps(DOCUMENT).replace('"base_points": 10', f'"base_points": {"9" * 4000}'),
    ],
    ids=range(11),
)
def test_what_is_no_draw_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="请重新下载"):
        check_file(text)


def recompute(file: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    """The command in a fresh process that knows of no installation."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("EZT_", "PREFECT_"))}
    command = [sys.executable, "-m", "ezt", "spot-check", "recompute", str(file), *options]
    return subprocess.run(
        command,
        env=environment | {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "random", "EZT_HOME": str(file.parent / "none")},
        cwd=file.parent,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_says_that_it_agrees_or_what_differs(tmp_path: Path) -> None:
    draw: Draw = make_draw(a_round(), SEEDS[7])
    file = tmp_path / "CC-2026-000001.json"
    file.write_text(text_of(draw), encoding="utf-8")
    done = recompute(file, "--commitment", draw.commitment)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("相符：CC-2026-000001，对象120个，抽中10个，检查组3个。")
    shown = json.loads(recompute(file, "--json").stdout)
    assert (shown["agrees"], shown["sample"]) == (True, list(draw.sample))
    file.write_text(changed(DOCUMENT, ("sample", 0), lambda _: "U/D1/9999"), encoding="utf-8")
    done = recompute(file)
    assert done.returncode == 1
    assert "不应抽中而文件中有：U/D1/9999" in done.stdout
    assert "不符：CC-2026-000001" in done.stdout
    file.write_text("{}", encoding="utf-8")
    done = recompute(file)
    assert (done.returncode, done.stdout) == (2, "")
    assert "请重新下载" in done.stderr
    assert not (tmp_path / "none").exists()
