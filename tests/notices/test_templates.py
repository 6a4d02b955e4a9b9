"""What notices say, and that what was typed by strangers can only ever be read in them."""

import re
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any, cast

import jinja2
import pytest
from sqlalchemy import func, select

from models.notices import OutgoingNotice
from notifications import notices
from notifications.notices import NOTICES, DayLine, DeadlineLine, EntryLine, Notice
from notifications.outbox import AddressError, check_address, message_id_of, queue
from notifications.rendering import message, render
from notifications.sender import dispatch
from notifications.sink import running
from regulation.working_days import WorkingDays
from runtime import clock
from runtime.database import reading, transaction
from runtime.refusals import RefusalError

THURSDAY = date(2026, 12, 24)
LAST_DAY = date(2026, 12, 31)
NAME = "𠮷田·阿依古丽"
LINK = "https://kq.example.cn/objections/4f0c9a"
DESK = "http://127.0.0.1:4200"
PARTY = {"case_no": "YY-2026-000001", "objector": "𠮷*·阿", "certificate": "不动产权证书", "link": LINK}
DUE = {"due_on": LAST_DAY, "provisional": True}
LINES = [
    DeadlineLine(
        case_no="YY-2026-000001", limit="初审", due_on=LAST_DAY, days_left=days, statutory=False, officer_no="KQ001"
    )
    for days in (2, 0)
]
TO_OFFICE = {"recipient": "绍兴市柯桥区民政局", "department": "绍兴市柯桥区民政局"}
MEND = TO_OFFICE | {"case_no": "ZG-2026-000002", "problem": "没有在册的电子证照专人", "article": 13, "link": LINK}
REVISE = TO_OFFICE | {
    "case_no": "XD-2026-000001",
    "document": "窗口收件规程",
    "clause": "第三条",
    "article": 8,
    "link": LINK,
}
ABOUT_PROJECT = TO_OFFICE | {"case_no": "PS-2026-000001", "project": "婚姻登记一网通办系统"}
ENTRY = EntryLine(line=3, item="婚姻登记档案查询（330603-MZ-001）", certificate="结婚证", scenario="窗口受理", what="")
LATE = [line.model_copy(update={"days_left": -3, "statutory": True}) for line in LINES[:1]]
EXPLANATION = [DayLine(**day._asdict()) for day in WorkingDays().explain(THURSDAY, 5)]


def closed(outcome: str, corrected: bool, new_version: bool) -> notices.ObjectionClosed:
    given = {"field": "坐落", "outcome": outcome, "reason": "原登记有误。"}
    return notices.ObjectionClosed(**PARTY, **given, corrected=corrected, new_version=new_version)


TO_INSPECTOR: Any = {
    "officer": "钱一",
    "case_no": "CC-2026-000001",
    "department": "绍兴市柯桥区民政局",
    "due_on": LAST_DAY,
    "link": LINK,
}
SAMPLES: list[tuple[Notice, str, list[str]]] = [
    (
        notices.ObjectionToConfirm(
            objector=PARTY["objector"], certificate="不动产权证书", field="坐落", until=LAST_DAY, link=LINK
        ),
        "请确认邮箱，提交您的异议",
        ["不动产权证书", "坐落", "2026年12月31日", "还没有提交", LINK],
    ),
    (
        notices.ObjectionRegistered(
            **PARTY, field="坐落", received_on=THURSDAY, due_on=LAST_DAY, provisional=True, explanation=EXPLANATION
        ),
        "已收到您的异议（YY-2026-000001）",
        [
            "坐落",
            "2026年12月24日（星期四）",
            "2026年12月31日（星期四）",
            "第十二条",
            "暂定",
            "第5个工作日",
            "周末",
            LINK,
        ],
    ),
    (
        notices.ObjectionJoined(**PARTY, field="坐落", lead_case_no="YY-2026-000000"),
        "您的异议已并案办理（YY-2026-000001）",
        ["坐落", "YY-2026-000000", LINK],
    ),
    (
        notices.ObjectionReleased(**PARTY, lead_case_no="YY-2026-000000"),
        "您的异议转为单独办理（YY-2026-000001）",
        ["YY-2026-000000", "从初审继续", LINK],
    ),
    (
        notices.SupplementRequested(**PARTY, what="请补充：\n一、门牌证", **DUE),
        "请补正异议材料（YY-2026-000001）",
        ["一、门牌证", "2026年12月31日", "暂定", LINK],
    ),
    (
        notices.ObjectionAccepted(**PARTY, field="坐落", **DUE),
        "您的异议已受理（YY-2026-000001）",
        ["坐落", "存在异议", "2026年12月31日", "暂定", LINK],
    ),
    (
        notices.ObjectionDeclined(**PARTY, reason="所指证照不属于本区。"),
        "您的异议不予受理（YY-2026-000001）",
        ["所指证照不属于本区。", "新的事实", "柯桥区人民政府", "行政复议", "行政诉讼", LINK],
    ),
    (
        notices.VerificationSent(**PARTY, bureau="绍兴市大数据局", sent_on=THURSDAY),
        "已向绍兴市大数据局提出核实需求（YY-2026-000001）",
        ["绍兴市大数据局", "2026年12月24日", LINK],
    ),
    (
        closed("已更正", corrected=True, new_version=True),
        "异议处理结果（YY-2026-000001）：已更正",
        ["坐落", "已更正", "原登记有误。", "新版本", "不同意见", "新的事实", "柯桥区人民政府", "行政复议", LINK],
    ),
    (notices.ObjectionWithdrawn(**PARTY), "您的异议已撤回（YY-2026-000001）", ["撤回", LINK]),
    (
        notices.WrongValueUsed(
            case_no="YY-2026-000001",
            department="绍兴市柯桥区市场监督管理局",
            certificate="不动产权证书",
            field="坐落",
            business_nos=["SP-1", "SP-2"],
            more=True,
            due_on=THURSDAY,
            link=LINK,
        ),
        "请处理用过的错误证照信息（YY-2026-000001）",
        ["市场监督管理局", "坐落", "SP-1、SP-2等", "2026年12月24日（星期四）", "第十二条", LINK],
    ),
    (
        notices.BackfillReturned(
            recipient="绍兴市柯桥区民政局",
            case_no="BL-2026-000001",
            certificate="结婚证",
            service_case_no="MZ-1",
            reason="登记日期与扫描件不符",
            final=False,
            due_on=THURSDAY,
        ),
        "纸质证照补录请更正（BL-2026-000001）",
        ["民政局", "结婚证", "MZ-1", "登记日期与扫描件不符", "2026年12月24日（星期四）"],
    ),
    (
        notices.CertificateBackfilled(
            case_no="BL-2026-000001",
            holder="王*国",
            certificate="结婚证",
            number="J330621***********23",
            department="绍兴市柯桥区民政局",
            done_on=THURSDAY,
            link=LINK,
        ),
        "您的纸质证照已补录为电子证照（BL-2026-000001）",
        ["王*国", "结婚证", "民政局", "2026年12月24日（星期四）", "第十一条", "第十二条", LINK],
    ),
    (
        notices.BackfillBatchDecided(
            recipient="绍兴市柯桥区民政局",
            case_no="PL-2026-000001",
            certificate="结婚证",
            service_case_no="MZ-1",
            result="整批退回",
            sent_back=True,
            rows=5000,
            registered=0,
            same=12,
            conflict=3,
            bad=40,
            checked=200,
            accept=5,
            wrong=[7, 19, 23, 40, 41, 99],
        ),
        "批量补录结果（PL-2026-000001）：整批退回",
        ["民政局", "结婚证", "MZ-1", "5000行", "12行", "不符6行（允许5行）", "7、19、23、40、41、99", "标注工作簿"],
    ),
    (
        notices.CaseAssigned(
            case_no="YY-2026-000001",
            officer="钱一",
            kind="异议核查",
            stage="待初审",
            due_on=LAST_DAY,
            why="由工号KQ002移交",
            desk=DESK,
        ),
        "异议核查 YY-2026-000001 由您办理",
        ["钱一", "待初审", "由工号KQ002移交", "2026年12月31日", DESK],
    ),
    (
        notices.DeadlinesNear(officer="钱一", day=THURSDAY, lines=LINES, more=7, desk=DESK),
        "2026-12-24 有9项时限将到",
        ["钱一", "YY-2026-000001", "还有2个工作日", "今天截止", "内部时限", "KQ001", "另有7项", DESK],
    ),
    (
        notices.DeadlinesMissed(director="周主任", day=THURSDAY, lines=LATE, more=0, desk=DESK),
        "2026-12-24 新增超期1项",
        ["周主任", "YY-2026-000001", "已超期3个工作日", "法定时限", DESK],
    ),
    (
        notices.LiaisonOnFile(
            **TO_OFFICE,
            case_no="ZR-2026-000001",
            liaison="钱*",
            from_on=THURSDAY,
            replaced="孙*",
            until_on=LAST_DAY,
        ),
        "电子证照管理专人已备案（ZR-2026-000001）",
        ["绍兴市柯桥区民政局", "钱*", "孙*", "自2026年12月24日起", "在册至2026年12月31日（含）", "第十三条"],
    ),
    (
        notices.LiaisonOffFile(**TO_OFFICE, case_no="ZR-2026-000002", liaison="孙*", until_on=LAST_DAY),
        "不再担任电子证照管理专人（ZR-2026-000002）",
        ["绍兴市柯桥区民政局", "孙*", "2026年12月31日（星期四）（含）", "第十三条"],
    ),
    (
        notices.LiaisonReturned(
            **TO_OFFICE, case_no="ZR-2026-000003", kind="变更", liaison="钱*", reason="请写明：\n一、职务"
        ),
        "专人备案已退回（ZR-2026-000003）",
        ["变更", "钱*", "一、职务", "重新备案"],
    ),
    (
        notices.LiaisonMissing(**TO_OFFICE, day=THURSDAY),
        "请备案电子证照管理专人",
        ["绍兴市柯桥区民政局", "2026年12月24日", "第十三条", "不能用证"],
    ),
    (
        notices.UseListDecided(
            **TO_OFFICE,
            case_no="QD-2026-000001",
            verdict="部分通过",
            taken=[ENTRY.model_copy(update={"what": "自2026-12-24起生效"})],
            refused=[ENTRY.model_copy(update={"line": 4, "what": "新增或变更"})],
            more=7,
            reason="字段超出事项所需。",
        ),
        "用证清单审核结果（QD-2026-000001）：部分通过",
        ["婚姻登记档案查询（330603-MZ-001）", "自2026-12-24起生效", "新增或变更", "另有7行", "字段超出事项所需。"],
    ),
    (
        notices.UseListEnquired(
            **TO_OFFICE, lines=[ENTRY.model_copy(update={"what": "180天未使用"})], more=2, link=LINK, **DUE
        ),
        "请确认用证清单的3个条目是否仍然需要",
        ["婚姻登记档案查询", "180天未使用", "另有2个条目", "2026年12月31日（星期四）", "暂定", "第九条", LINK],
    ),
    (
        notices.SupervisionReported(
            recipient="沈*国", period="2026年10月", summary=["核实需求按期率：97.5%", "新发现问题：7个"], link=LINK
        ),
        "2026年10月电子证照监督报告",
        ["沈*国", "第十七条", "核实需求按期率：97.5%", "新发现问题：7个", LINK],
    ),
    (
        notices.RectificationOrdered(
            **MEND,
            facts="截至2026年12月24日，贵部门没有在册的专人。",
            severity="较重",
            requirement="请同时检查下属单位。",
            first_on=THURSDAY,
            times=3,
            earlier_case="ZG-2026-000001",
            earlier_on=THURSDAY,
            explanation=EXPLANATION,
            **DUE,
        ),
        "请整改：没有在册的电子证照专人（ZG-2026-000002）",
        [
            "截至2026年12月24日",
            "第13条",
            "较重",
            "3次",
            "ZG-2026-000001",
            "请同时检查下属单位。",
            "2026年12月31日（星期四）",
            "暂定",
            "第5个工作日",
            "第十七条",
            LINK,
        ],
    ),
    (
        notices.RectificationDue(**MEND, **DUE),
        "整改将于2026年12月31日截止（ZG-2026-000002）",
        ["没有在册的电子证照专人", "2026年12月31日（星期四）", "暂定", LINK],
    ),
    (
        notices.RectificationReturned(**MEND, reason="材料没有盖章。", explanation=EXPLANATION, **DUE),
        "整改不到位，请再次整改（ZG-2026-000002）",
        ["材料没有盖章。", "2026年12月31日（星期四）", "第5个工作日", "督查通报", LINK],
    ),
    (
        notices.ExtensionDecided(**MEND, granted=False, reason="期限已经足够。", **DUE),
        "不同意延期整改（ZG-2026-000002）",
        ["原截止日不变", "期限已经足够。", "2026年12月31日（星期四）", LINK],
    ),
    (
        notices.RectificationEscalated(**MEND, reason="没有答复。", failures=2),
        "提请区政府督查通报：绍兴市柯桥区民政局（ZG-2026-000002）",
        ["2次整改不到位", "没有答复。", LINK],
    ),
    (
        notices.RectificationClosed(**MEND, outcome="已整改", reason="已核实。"),
        "督促整改办结：已整改（ZG-2026-000002）",
        ["已整改", "已核实。", LINK],
    ),
    (
        notices.RuleRevisionTracked(**REVISE, **DUE),
        "请按计划修订制度（XD-2026-000001）",
        ["窗口收件规程", "第三条（妨碍第8条）", "2026年12月31日（星期四）", "暂定", "第十六条", LINK],
    ),
    (
        notices.RuleRevisionReturned(**REVISE, reason="第三条没有改。", final=False, **DUE),
        "修订不到位，请再次修订（XD-2026-000001）",
        ["窗口收件规程", "第三条没有改。", "2026年12月31日（星期四）", "暂定", LINK],
    ),
    (
        notices.RuleRevisionDue(**REVISE, overdue=True, **DUE),
        "制度修订已逾期（XD-2026-000001）",
        ["窗口收件规程", "至今没有报告", "2026年12月31日（星期四）", "暂定", LINK],
    ),
    (
        notices.RuleRevisionClosed(**REVISE, document_no="柯民〔2026〕9号", in_force_on=THURSDAY),
        "制度修订已办结（XD-2026-000001）",
        ["窗口收件规程", "柯民〔2026〕9号", "2026年12月24日", LINK],
    ),
    (
        notices.SpotCheckAssigned(**TO_INSPECTOR, objects=7),
        "抽查 CC-2026-000001：由您检查绍兴市柯桥区民政局",
        ["钱一", "民政局", "7个", "2026年12月31日（星期四）", "第十七条", "回避", LINK],
    ),
    (
        notices.SpotCheckToConfirm(**TO_INSPECTOR, entered_by="KQ002"),
        "抽查 CC-2026-000001：请确认绍兴市柯桥区民政局的检查结果",
        ["钱一", "民政局", "KQ002", "2026年12月31日（星期四）", LINK],
    ),
    (
        notices.SpotCheckLate(**TO_INSPECTOR, stage="待登记", days_left=-2),
        "抽查 CC-2026-000001：绍兴市柯桥区民政局的检查结果已超期",
        ["钱一", "民政局", "待登记", "已超期2个工作日", "2026年12月31日（星期四）", LINK],
    ),
    (
        notices.SystemReviewRegistered(**ABOUT_PROJECT, version=2, received_on=THURSDAY, **DUE),
        "已收到系统评审项目（PS-2026-000001）",
        ["婚姻登记一网通办系统", "第2版", "2026年12月24日（星期四）", "2026年12月31日（星期四）", "暂定", "第十七条"],
    ),
    (
        notices.SystemOutside(**ABOUT_PROJECT, reason="建设性质为“运行维护”，不是新建系统"),
        "不属于系统评审范围（PS-2026-000001）",
        ["婚姻登记一网通办系统", "不是新建系统", "第十七条", "重新提交"],
    ),
    (
        notices.SystemNotReviewed(
            **ABOUT_PROJECT,
            gaps=[
                notices.GapLine(article=17, what="方案没有明确电子证照的签发", write="写明签发哪些电子证照。"),
                notices.GapLine(article=8, what="方案没有明确不再要求纸质证照的安排", write="写明怎样不再要求纸质。"),
            ],
        ),
        "不予评审（PS-2026-000001）：2处建设内容没有明确",
        ["第17条", "电子证照的签发", "写明签发", "第8条", "不予评审不是评审不通过", "新的一版", "第十七条"],
    ),
    (
        notices.SystemMaterialRequested(**ABOUT_PROJECT, what="请写明：\n一、共享给谁", **DUE),
        "请补充系统评审材料（PS-2026-000001）",
        ["婚姻登记一网通办系统", "一、共享给谁", "2026年12月31日（星期四）", "暂定"],
    ),
    (
        notices.SystemReviewPassed(
            **ABOUT_PROJECT,
            reference="PY-2026-000001-4F0C9A3B1D",
            go_live_on=LAST_DAY,
            promised=[ENTRY.model_copy(update={"what": "待提出"})],
            more=3,
            use_list="https://kq.example.cn/api/v1/use-list/proposals",
            verification="https://kq.example.cn/api/v1/system-review-references/PY-2026-000001-4F0C9A3B1D",
        ),
        "系统评审通过（PS-2026-000001）：PY-2026-000001-4F0C9A3B1D",
        [
            "PY-2026-000001-4F0C9A3B1D",
            "2026年12月31日（星期四）",
            "待提出",
            "另有3条",
            "第九条",
            "use-list",
        ],
    ),
    (
        notices.SystemReviewFailed(**ABOUT_PROJECT, reason="共享范围超出职能。"),
        "系统评审不通过（PS-2026-000001）",
        ["婚姻登记一网通办系统", "共享范围超出职能。", "新的一版"],
    ),
    (
        notices.GoLiveNear(
            **ABOUT_PROJECT,
            go_live_on=LAST_DAY,
            missing=[ENTRY.model_copy(update={"what": "尚未列入用证清单"})],
            more=2,
        ),
        "系统即将上线（PS-2026-000001）：婚姻登记一网通办系统",
        ["2026年12月31日（星期四）", "婚姻登记档案查询", "尚未列入用证清单", "另有2条", "第九条", "第十七条"],
    ),
    (
        notices.PaperReportReceived(
            case_no="FY-2026-000001", department=TO_OFFICE["department"], received_on=THURSDAY, **DUE
        ),
        "已收到您的反映（FY-2026-000001）",
        ["绍兴市柯桥区民政局", "FY-2026-000001", "2026年12月24日", "2026年12月31日", "暂定", "第八条"],
    ),
    (
        notices.PaperReportHandled(
            case_no="FY-2026-000001",
            department=TO_OFFICE["department"],
            confirmed=True,
            reason="窗口确有要求，已当场纠正。",
        ),
        "您的反映已核实（FY-2026-000001）",
        ["绍兴市柯桥区民政局", "属实", "窗口确有要求，已当场纠正。", "整改"],
    ),
]


def test_every_notice_has_a_sample_here() -> None:
    assert [type(notice) for notice, _, _ in SAMPLES] == list(NOTICES.values())


@pytest.mark.parametrize(("notice", "subject", "facts"), SAMPLES, ids=list(NOTICES))
def test_text_and_html_hold_the_essential_facts(notice: Notice, subject: str, facts: list[str]) -> None:
    rendered = render(notice)
    assert rendered.subject == subject
    for fact in [*facts, "绍兴市柯桥区大数据发展管理中心"]:
        assert fact in rendered.text
        assert fact in rendered.html
    for form in (rendered.text, rendered.html):
        assert "{" not in re.sub('style="[^"]*"', "", form)
        assert "None" not in form
    assert "\n\n\n" not in rendered.text


@pytest.mark.parametrize(("notice", "subject", "facts"), SAMPLES, ids=list(NOTICES))
def test_html_fetches_nothing_and_sets_no_colour(notice: Notice, subject: str, facts: list[str]) -> None:
    html = render(notice).html
    assert not re.search(r"<(img|link|script|style|iframe)|src=|url\(|[; \"]color:|background", html)
    assert re.findall(r'href="([^"]*)"', html) == [address for address in (LINK, DESK) if address in facts]
    assert '<meta name="viewport"' in html
    assert '<meta name="color-scheme" content="light dark">' in html


def test_a_listing_that_is_sent_back_has_no_date() -> None:
    returned = notices.RuleRevisionReturned(**REVISE, reason="重复报送。", final=True, due_on=None, provisional=False)
    rendered = render(returned)
    assert "重新报送" in rendered.text
    assert "截止日" not in rendered.text + rendered.html


def test_a_settled_date_is_not_called_provisional() -> None:
    notice = notices.ObjectionAccepted(**PARTY, field="坐落", due_on=LAST_DAY, provisional=False)
    assert "暂定" not in render(notice).text + render(notice).html


def test_only_a_new_version_is_spoken_of_as_one() -> None:
    upheld = render(closed("维持原信息", corrected=False, new_version=False))
    elsewhere = render(closed("已更正", corrected=True, new_version=False))
    assert "新版本" not in upheld.text + upheld.html + elsewhere.text + elsewhere.html
    assert "数据源头更正" in elsewhere.text
    assert "数据源头更正" in elsewhere.html


def test_html_escapes_what_was_typed_and_text_keeps_it() -> None:
    typed = "<script>alert('1')</script>&\"坐落\""
    rendered = render(notices.ObjectionAccepted(**PARTY, field=typed, **DUE))
    assert typed in rendered.text
    assert "<script" not in rendered.html
    assert "&lt;script&gt;" in rendered.html


def test_what_was_typed_on_one_line_stays_on_one_line() -> None:
    evil = "坐落\r\nBcc: evil@example.com\u2028\u202e请到\x00别处"
    notice = notices.ObjectionAccepted(**PARTY, field=evil, **DUE)
    assert notice.field == "坐落 Bcc: evil@example.com 请到 别处"


def test_a_line_break_in_a_value_makes_no_header() -> None:
    notice = notices.VerificationSent(**PARTY, bureau="绍兴\r\nBcc: evil@example.com\r\n\r\n正文", sent_on=THURSDAY)
    mail = parsed(message(notice, "a@example.com", "<1@example.com>", datetime.now(UTC)))
    assert mail["Bcc"] is None
    assert mail["Subject"] == "已向绍兴 Bcc: evil@example.com 正文提出核实需求（YY-2026-000001）"


@pytest.mark.parametrize(
    "address",
    [
        "",
        "a",
        "a@b",
        "@example.com",
        "a@example.com\nBcc: b@example.com",
        "a@example.com\r\n",
        "a@example.com\x00",
        "a@example.com, b@example.com",
        "张三 <a@example.com>",
        "张三@example.com",
        "a b@example.com",
        "a..b@example.com",
        "a@-example.com",
        "a@example..com",
        f"{'a' * 65}@example.com",
        f"a@{'b.' * 126}cn",
    ],
)
def test_an_address_that_is_none_is_refused_in_chinese(address: str, installation: Path) -> None:
    with pytest.raises(AddressError, match="电子邮箱格式不对") as refusal, transaction() as session:
        queue(session, SAMPLES[0][0], address, key="1", case_no=None, at=clock.now())
    assert isinstance(refusal.value, RefusalError)
    assert rows() == 0


@pytest.mark.parametrize(
    "address", ["a@example.com", "o'neil+x_y@mail.kq.gov.cn", "a@xn--fiq228c.cn", f"{'a' * 64}@b.cn"]
)
def test_a_plain_address_is_taken(address: str) -> None:
    check_address(address)


def test_a_notice_that_lacks_what_its_template_asks_for_fails_the_step(installation: Path) -> None:
    class ObjectionWithdrawn(Notice):
        case_no: str

    with pytest.raises(jinja2.UndefinedError), transaction() as session:
        queue(session, ObjectionWithdrawn(case_no="1"), "a@example.com", key="1", case_no=None, at=clock.now())
    assert rows() == 0


def test_a_notice_without_templates_fails_the_step(installation: Path) -> None:
    class NeverWritten(Notice):
        pass

    with pytest.raises(jinja2.TemplateNotFound), transaction() as session:
        queue(session, NeverWritten(), "a@example.com", key="1", case_no=None, at=clock.now())


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_the_same_key_and_address_are_queued_once(kind: str, database_of: Callable[[str], None]) -> None:
    database_of(kind)
    for _ in range(2):
        with transaction() as session:
            for to in ("a@example.com", "a@example.com", "b@example.com"):
                queue(session, SAMPLES[0][0], to, key="1", case_no=None, at=clock.now())
    assert rows() == 2


def test_a_notice_leaves_no_trace_when_its_step_fails(installation: Path) -> None:
    def step() -> None:
        with transaction() as session:
            queue(session, SAMPLES[0][0], "a@example.com", key="1", case_no=None, at=clock.now())
            raise RuntimeError("step")

    with pytest.raises(RuntimeError, match="step"):
        step()
    assert rows() == 0


def test_the_message_id_depends_on_key_and_address_only(installation: Path) -> None:
    assert message_id_of("1", "a@example.com") == message_id_of("1", "a@example.com")
    assert len({message_id_of(key, to) for key in "12" for to in ("a@example.com", "b@example.com")}) == 4
    assert re.fullmatch(r"<[0-9a-f]{40}@kq\.example\.cn>", message_id_of("1", "a@example.com"))


def test_what_is_stored_of_a_notice_cannot_be_read_without_the_keys(installation: Path) -> None:
    with transaction() as session:
        queue(session, SAMPLES[0][0], "reader@example.com", key="1", case_no=None, at=clock.now())
    content = b"".join(path.read_bytes() for path in installation.glob("ezt.db*"))
    assert b"reader@example.com" not in content
    assert "不动产权证书".encode() not in content


@pytest.mark.parametrize(("notice", "subject", "facts"), SAMPLES, ids=list(NOTICES))
def test_the_message_is_seven_bit_on_the_wire(notice: Notice, subject: str, facts: list[str]) -> None:
    at = datetime(2026, 12, 24, 18, 30, tzinfo=UTC)
    wire = message(notice, "a@example.com", "<1@kq.example.cn>", at).as_bytes()
    assert wire.isascii()
    assert max(map(len, wire.split(b"\r\n"))) <= 78
    assert b"\n" not in wire.replace(b"\r\n", b"")
    mail = parsed(wire)
    assert mail["Subject"] == subject
    assert mail["From"] == "绍兴市柯桥区大数据发展管理中心 <ezt@kq.example.cn>"
    assert mail["To"] == "a@example.com"
    assert mail["Message-ID"] == "<1@kq.example.cn>"
    assert mail["Date"] == "Fri, 25 Dec 2026 02:30:00 +0800"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]


def test_rare_names_survive_real_smtp_and_a_mail_program(
    installation: Path, smtp_settings: Any, tmp_path: Path
) -> None:
    notice = notices.CaseAssigned(
        case_no="YY-2026-000001",
        officer=NAME,
        kind=f"{NAME}、{NAME}、{NAME}与{NAME}",
        stage="待初审",
        due_on=LAST_DAY,
        why="新登记的异议",
        desk=DESK,
    )
    with running(tmp_path / "mail", smtp_settings()):
        with transaction() as session:
            queue(session, notice, "a@example.com", key="1", case_no=None, at=clock.now())
        assert dispatch().sent == 1
    (file,) = (tmp_path / "mail").iterdir()
    mail = parsed(file.read_bytes())
    assert mail["Subject"] == f"{NAME}、{NAME}、{NAME}与{NAME} YY-2026-000001 由您办理"
    for part, kind in zip(mail.iter_parts(), ("plain", "html"), strict=True):
        assert part.get_content_subtype() == kind
        content = cast("EmailMessage", part).get_content()
        assert NAME in content
        assert "绍兴市柯桥区大数据发展管理中心" in content


def test_the_sink_names_files_by_time_and_subject_and_stays_in_its_folder(
    smtp_settings: Any, installation: Path, tmp_path: Path, put: Callable[..., None]
) -> None:
    with running(tmp_path / "mail", smtp_settings()):
        put("a@example.com")
        dispatch()
        with transaction() as session:
            odd = notices.VerificationSent(**PARTY, bureau="../../局/" + "长" * 200, sent_on=THURSDAY)
            queue(session, odd, "a@example.com", key="odd", case_no=None, at=clock.now())
        assert dispatch().sent == 1
    names = sorted(path.name for path in (tmp_path / "mail").rglob("*"))
    assert [re.sub(r"\d{8}T\d{6}\.\d{6}|[0-9a-f]{6}(?=\.eml)", "-", name) for name in names] == [
        "--您的异议已撤回_YY-2026-000001--.eml",
        f"--已向_局_{'长' * 35}--.eml",
    ]


def test_the_sink_runs_as_a_program_and_stops_when_asked(
    installation: Path, smtp_settings: Any, put: Callable[..., None]
) -> None:
    port = smtp_settings()
    program = subprocess.Popen([sys.executable, "-m", "notifications.sink", "--port", str(port)])
    try:
        put("a@example.com")
        until = time.monotonic() + 30
        while dispatch().sent == 0:
            assert time.monotonic() < until
            make_due()
            time.sleep(0.1)
    finally:
        program.terminate()
        assert program.wait(timeout=30) == 0
    assert len(list((installation / "mail").glob("*.eml"))) == 1


def parsed(mail: EmailMessage | bytes) -> EmailMessage:
    """What a mail program reads from the wire."""
    wire = mail if isinstance(mail, bytes) else mail.as_bytes()
    return cast("EmailMessage", message_from_bytes(wire, policy=default))


def rows() -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(OutgoingNotice)) or 0


def make_due() -> None:
    with transaction() as session:
        session.query(OutgoingNotice).update({"next_attempt_at": clock.now(), "attempts": 0})
