"""``ezt identifier check``: the verdict on a certificate identifier for clerks and for other programs."""

import json
import subprocess
import sys

import pytest

PERMIT = "1.2.156.3005.2.11100000000013338W009.11330105002500287C.2025052201.002."


def ezt(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "ezt", *arguments], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("text", "valid", "verdict", "why"),
    [
        (f"{PERMIT}0", True, "iso", "GB/T 36904"),
        (f"{PERMIT}Z", False, "variant", "不符合GB/T 36904"),
        (f"{PERMIT}1", False, "fail", "校验位不符"),
        ("", False, "fail", "电子证照标识应为"),
    ],
)
def test_the_verdict_as_json(text: str, valid: bool, verdict: str, why: str) -> None:
    done = ezt("identifier", "check", text, "--json")
    answer = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    assert list(answer) == ["valid", "verdict", "why"]
    assert (answer["valid"], answer["verdict"]) == (valid, verdict)
    assert why in answer["why"]


@pytest.mark.parametrize(("check", "word"), [("0", "有效"), ("Z", "不符合标准，予以保留"), ("1", "无效")])
def test_the_verdict_for_people_is_one_line(check: str, word: str) -> None:
    done = ezt("identifier", "check", PERMIT + check)
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 1
    assert done.stdout.startswith(f"{word}：")


@pytest.mark.parametrize("arguments", [("check",), ("check", "a", "b"), ("check", "a", "--xml"), ("mend", "a")])
def test_misuse_is_one_chinese_line_and_exit_2(arguments: tuple[str, ...]) -> None:
    done = ezt("identifier", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert any("一" <= letter <= "鿿" for letter in done.stderr)
