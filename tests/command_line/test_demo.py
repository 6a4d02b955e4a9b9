"""``ezt demo``: one objection, for real, from filing to the last e-mail."""

import json
from pathlib import Path

import pytest

from tests.command_line.conftest import ezt, running_in

LONGEST = 600
"""Seconds. Every leg of the story is a process of its own: about two minutes on two busy cores."""


@pytest.mark.timeout(LONGEST)
def test_the_demonstration_tells_one_objection_and_leaves_nothing_behind(tmp_path: Path) -> None:
    done = ezt("demo", "--json", TMPDIR=str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    played = json.loads(done.stdout)
    case_no = played["case_no"]
    assert [what for _, what in played["timeline"]] == [
        "登记，写成给申请人的回执",
        "受理，证照加注异议标记",
        "须告知持证主体（1名）有人提出异议",
        "拟好核实需求",
        "完成第十二条5个工作日内提出核实需求，按时",
        "核实需求已发出（绍兴市大数据局，提出核实需求）",
        "收到核实结果",
        "拟稿，报请审签",
        "审签同意",
        "认定处理结果：已更正",
        "本区索引已更正为新版本",
        "告知申请人结果，办结，去除异议标记",
    ]
    assert played["mails"] == [
        f"已收到您的异议（{case_no}）",
        f"异议核查 {case_no} 由您办理",
        f"您的异议已受理（{case_no}）",
        f"已向绍兴市大数据局提出核实需求（{case_no}）",
        f"异议处理结果（{case_no}）：已更正",
    ]
    assert list(tmp_path.iterdir()) == []
    assert running_in(tmp_path) == []
