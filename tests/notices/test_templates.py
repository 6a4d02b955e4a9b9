"""What notices say, and that what was typed by strangers can only ever be read in them."""

import re
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from html import unescape
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import func, select

from ezt import children
from ezt.samples.notice_preview import file_names
from ezt.samples.notices import EXAMPLES
from models.notices import OutgoingNotice
from notifications import notices
from notifications.messages import message
from notifications.notices import NOTICES, Notice
from notifications.outbox import message_id_of, queue
from notifications.rendering import article_name, full_date, render, with_weekday
from notifications.sender import dispatch
from notifications.sink import running
from runtime import clock
from runtime.contacts import AddressError
from runtime.database import reading, transaction
from tests.conftest import forget_settings
from tests.notices.looks import BUTTONS, READABLE, Looked, contrast

SAYS: dict[str, tuple[str, list[str]]] = {
    "objection-to-confirm": ("请确认邮箱，提交您的异议", ["还没有提交", "收到日期"]),
    "objection-registered": ("已收到您的异议（YY-2026-000001）", ["第十二条", "第5个工作日", "周末", "放假：国庆节"]),
    "objection-batch-registered": (
        "批量异议已登记（YP-2026-000001）：9958件",
        ["2026年9月24日", "并案31件", "第17行：联系电话格式不对", "另有1行", "自动跳过"],
    ),
    "objection-joined": ("您的异议已并案办理（YY-2026-000001）", ["不影响您的权利"]),
    "objection-released": ("您的异议转为单独办理（YY-2026-000001）", ["从初审继续"]),
    "supplement-requested": ("请补正异议材料，2026年10月9日截止（YY-2026-000001）", ["逾期未补正"]),
    "objection-accepted": ("您的异议已受理（YY-2026-000001）", ["存在异议"]),
    "objection-declined": (
        "您的异议不予受理（YY-2026-000001）",
        ["新的事实", "柯桥区人民政府", "行政复议", "行政诉讼"],
    ),
    "objection-answered": (
        "您的异议此前已有结论（YY-2026-000001）：维持原信息",
        ["2026年9月1日", "新的事实", "柯桥区人民政府", "行政复议", "行政诉讼"],
    ),
    "verification-sent": ("已向绍兴市大数据局提出核实需求（YY-2026-000001）", ["数据核实需求"]),
    "objection-closed": (
        "异议处理结果（YY-2026-000001）：已更正",
        ["新版本", "不同意见", "新的事实", "柯桥区人民政府", "行政复议"],
    ),
    "objection-withdrawn": ("您的异议已撤回（YY-2026-000001）", ["撤回", "重新提出"]),
    "contact-to-confirm": ("请确认新的联系方式（YY-2026-000001）", ["不要理会", "40718254"]),
    "contact-changed": ("今后的通知发给您（YY-2026-000001）", ["已经变更"]),
    "letters-stop": ("今后的通知不再发到这里（YY-2026-000001）", ["尽快联系本中心"]),
    "certificate-disputed": (
        "有人对您的不动产权证书提出异议（YY-2026-000001）",
        ["5个工作日内提出意见", "我的证照", "不用理会本信"],
    ),
    "dispute-ended": ("对您的不动产权证书的异议已办结（YY-2026-000001）：已更正", ["登记的内容已有改动", "行政复议"]),
    "wrong-value-used": (
        "请处理用过的错误证照信息，2026年10月9日截止（YY-2026-000001）",
        ["SP-20260901-0031、SP-20260915-0008等", "第十二条"],
    ),
    "source-asked": ("请核对有异议的登记，2026年10月9日截止（YY-2026-000001）", ["第十二条", "原始档案"]),
    "backfill-returned": ("纸质证照补录请更正，2026年10月9日截止（BL-2026-000001）", ["重新报送"]),
    "certificate-backfilled": (
        "您的纸质证照已补录为电子证照（BL-2026-000001）",
        ["同等法律效力", "第十一条", "第十二条"],
    ),
    "backfill-batch-decided": ("批量补录结果（PL-2026-000001）：已入库", ["不符0行（允许5行）", "标注工作簿"]),
    "case-assigned": ("异议核查 YY-2026-000001 由您办理", ["最近的截止日"]),
    "approval-asked": ("有拟稿等您审签", ["审签截止日", "不再另发邮件", "YY-2026-000001"]),
    "cases-handed-over": ("3件办件移交由您办理", ["最近的截止日", "移交理由", "YY-2026-000002"]),
    "leave-filed": ("陈柯宁休假，由俞若溪代理", ["休假日期", "代理人可以代为办理"]),
    "codes-guessed": ("有人多次填错您的验证码", ["9月24日 03:12", "5次", "请管理员更换您的验证码"]),
    "deadlines-near": (
        "有9项时限即将届满（2026年9月24日）",
        ["还有2个工作日", "今天截止", "法定时限", "内部时限", "另有7项"],
    ),
    "deadlines-missed": ("新增超期1项（2026年10月14日）", ["已超期3个工作日", "法定时限"]),
    "liaison-on-file": ("电子证照管理专人已备案（ZR-2026-000001）", ["第十三条", "变更备案"]),
    "liaison-off-file": ("不再担任电子证照管理专人（ZR-2026-000002）", ["含当日", "第十三条", "不能用证"]),
    "liaison-returned": ("专人备案已退回（ZR-2026-000003）", ["重新备案"]),
    "liaison-missing": ("请备案电子证照管理专人", ["第十三条", "不能用证"]),
    "use-list-decided": ("用证清单审核结果（QD-2026-000001）：部分通过", ["已列入清单", "未列入的理由", "另有7行"]),
    "use-list-enquired": (
        "请确认用证清单的4个条目是否仍然需要，2026年10月9日截止",
        ["第九条", "将停用", "另有2个条目"],
    ),
    "supervision-reported": ("2026年9月电子证照监督报告", ["第十七条"]),
    "rectification-ordered": (
        "请整改：没有在册的电子证照专人，2026年10月9日截止（ZG-2026-000002）",
        ["第十七条", "申请一次延期", "督查通报", "第5个工作日"],
    ),
    "rectification-due": ("整改将于2026年10月9日截止（ZG-2026-000002）", ["逾期不答复"]),
    "rectification-returned": (
        "整改不到位，请再次整改，2026年10月9日截止（ZG-2026-000002）",
        ["督查通报", "第5个工作日"],
    ),
    "extension-decided": ("同意延期整改，2026年10月9日截止（ZG-2026-000002）", ["现同意延期", "只能申请一次延期"]),
    "rectification-escalated": ("提请区政府督查通报：绍兴市柯桥区民政局（ZG-2026-000002）", ["2次整改不到位"]),
    "rectification-closed": ("督促整改办结：已整改（ZG-2026-000002）", ["已办结"]),
    "rule-revision-tracked": (
        "请按计划修订制度，2026年12月31日截止（XD-2026-000001）",
        ["第三条（妨碍《办法》第八条）", "第十六条"],
    ),
    "rule-revision-returned": ("修订不到位，请再次修订，2027年1月5日截止（XD-2026-000001）", ["暂定"]),
    "rule-revision-due": ("制度修订即将到期，2027年1月5日截止（XD-2026-000001）", ["还没有报告", "暂定"]),
    "rule-revision-closed": ("制度修订已办结（XD-2026-000001）", ["经核对已经修订"]),
    "spot-check-assigned": ("抽查 CC-2026-000001：由您检查绍兴市柯桥区民政局", ["7个", "第十七条", "回避"]),
    "spot-check-to-confirm": ("抽查 CC-2026-000001：请确认绍兴市柯桥区民政局的检查结果", ["各自签名"]),
    "spot-check-late": ("抽查 CC-2026-000001：绍兴市柯桥区民政局的检查结果还有1个工作日", ["请告知本轮抽查的经办人"]),
    "system-review-registered": ("已收到系统评审项目（PS-2026-000001）", ["第2版", "第十七条"]),
    "system-outside": ("不属于系统评审范围（PS-2026-000001）", ["第十七条", "重新提交"]),
    "system-not-reviewed": (
        "不予评审（PS-2026-000001）：2处建设内容没有明确",
        ["不予评审不等于评审不通过", "新的一版", "第十七条"],
    ),
    "system-material-requested": ("请补充系统评审材料（PS-2026-000001）：2026年10月9日截止", ["新的一版"]),
    "system-review-passed": (
        "系统评审通过（PS-2026-000001）：PY-2026-000001-4F0C9A3B1D",
        ["另有3条", "第九条", "报告改期"],
    ),
    "system-review-failed": ("系统评审不通过（PS-2026-000001）", ["新的一版"]),
    "go-live-near": (
        "系统即将上线（PS-2026-000001）：婚姻登记一网通办系统",
        ["另有2条", "第九条", "第十七条"],
    ),
    "paper-report-received": ("已收到您的反映（FY-2026-000001）", ["第八条", "不会向该部门透露"]),
    "paper-report-handled": ("您的反映已核实（FY-2026-000001）", ["属实", "整改"]),
}
"""The subject of the first example of each notice, and what it says beside what it knows."""
NAMES = file_names(EXAMPLES)
FIRST = {example.notice.template(): example.notice for example in reversed(EXAMPLES)}
LONGEST_LINE = 100
"""Characters of a line of plain text: three lines of a usual window. Paragraphs are not broken by us, because what is
broken at one width reads badly at every other."""
EVERY_NOTICE = pytest.mark.parametrize("notice", [example.notice for example in EXAMPLES], ids=NAMES)
LAST_DAY = date(2026, 12, 31)
NAME = "𠮷田·阿依古丽"
PARTY: dict[str, Any] = {
    "case_no": "YY-2026-000001",
    "certificate": "不动产权证书",
    "link": "https://kq.example.cn/objections/4f0c9a",
}
A_DAY: dict[str, Any] = {"due_on": LAST_DAY, "provisional": True}


def test_every_notice_has_an_example_and_says_what_it_has_to() -> None:
    kinds = {example.notice.template() for example in EXAMPLES}
    assert kinds == set(NOTICES), "ezt/samples/notices.py needs an example of each notice"
    assert set(SAYS) == set(NOTICES), "SAYS needs what each notice has to say"


@pytest.mark.parametrize("kind", list(SAYS))
def test_a_notice_says_what_it_has_to(kind: str) -> None:
    rendered, (subject, words) = render(FIRST[kind]), SAYS[kind]
    assert rendered.subject == subject
    for word in words:
        assert word in rendered.text
        assert word in shown(rendered.html)


@EVERY_NOTICE
def test_all_that_a_notice_knows_stands_in_both_forms(notice: Notice) -> None:
    rendered = render(notice)
    for form in (rendered.text, shown(rendered.html)):
        for fact in facts_of(notice):
            assert fact in form


@EVERY_NOTICE
def test_text_and_html_say_the_same(notice: Notice) -> None:
    rendered = render(notice)
    text, html = clauses(rendered.text), clauses(shown(rendered.html))
    title = re.search("<h1.*?>(.*?)</h1>", rendered.html)
    assert title is not None
    hint = "不能点击时，请把下面的地址复制到浏览器中打开"
    assert html - text <= clauses(unescape(title[1])) | clauses(hint)
    assert {clause for clause in text - html if not re.fullmatch(r"\d\.|-+", clause)} == set()


@EVERY_NOTICE
def test_a_day_that_something_is_due_stands_with_its_weekday(notice: Notice) -> None:
    rendered, due_on = render(notice), getattr(notice, "due_on", None)
    if due_on is not None:
        assert with_weekday(due_on) in rendered.text
        assert with_weekday(due_on) in shown(rendered.html)


@EVERY_NOTICE
def test_nothing_is_left_undone_or_in_code_or_english(notice: Notice) -> None:
    rendered = render(notice)
    for form in (rendered.subject, rendered.text, shown(rendered.html)):
        assert not re.search(r"[{}]|\d{4}-\d\d-\d\d\b", form), "a template's mark, or a date as a machine writes it"
        assert not re.search("[，。；：、]{2}|（）|“”|：$", form.rstrip()), "a gap, or a mark twice"
        ours = form
        for fact in sorted(facts_of(notice), key=len, reverse=True):
            ours = ours.replace(fact, "")
        # Article 3 calls the system so.
        assert set(re.findall("[A-Za-z]+", ours.replace("柯桥e证通", ""))) <= {"PDF"}
    assert "\n\n\n" not in rendered.text


@EVERY_NOTICE
def test_lines_of_plain_text_can_be_read(notice: Notice) -> None:
    longest = like(notice, provisional=True) if getattr(notice, "due_on", None) else notice
    lines = render(longest).text.splitlines()
    assert max(len(line) for line in lines if not line.startswith("https://")) <= LONGEST_LINE
    assert all(line == line.rstrip() for line in lines)


@EVERY_NOTICE
def test_a_link_is_a_button_and_an_address_that_can_be_copied(notice: Notice) -> None:
    rendered = render(notice)
    given = [getattr(notice, name) for name in ("link", "desk") if hasattr(notice, name)]
    assert re.findall(r'<a href="([^"]*)" class="button"', rendered.html) == given
    assert rendered.html.count("<a ") == len(given)
    for address in given:
        assert address in shown(rendered.html)
        assert address in rendered.text.splitlines()


@EVERY_NOTICE
def test_html_fetches_nothing(notice: Notice) -> None:
    html = render(notice).html
    assert not re.search(r"<(img|link|script|iframe|object|form)\b|src=|url\(|@import|@font-face", html)
    assert '<meta name="viewport"' in html
    assert '<meta name="color-scheme" content="light dark">' in html


@EVERY_NOTICE
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_text_stands_out_from_its_ground(notice: Notice, dark: bool) -> None:
    looked = Looked(render(notice).html, dark=dark)
    assert looked.texts
    for text, colour, ground in looked.texts:
        assert contrast(colour, ground) >= READABLE, (text, colour, ground)
    grounds = {ground for _, _, ground in looked.texts}
    # Where <style> is dropped all of the letter is light; where it is kept none of it stays so, but for the button.
    assert all((contrast(ground, "#000000") < READABLE) == dark for ground in grounds - BUTTONS)


def test_contrast_is_what_wcag_says() -> None:
    assert contrast("#000000", "#ffffff") == 21
    assert round(contrast("#777777", "#ffffff"), 2) == 4.48


def test_every_notice_says_that_it_is_automatic_and_whom_to_ask(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    phone, address = "0575-84120000", "绍兴市柯桥区<样例>路1号"
    monkeypatch.setenv("EZT_CONTACT_PHONE", phone)
    monkeypatch.setenv("EZT_CONTACT_ADDRESS", address)
    forget_settings()
    for example in EXAMPLES:
        rendered = render(example.notice)
        for form in (rendered.text, shown(rendered.html)):
            assert "本邮件由系统自动发出，请勿直接回复。" in form
            assert f"请联系绍兴市柯桥区大数据发展管理中心，电话：{phone}，地址：{address}。" in form


def test_a_contact_that_is_not_set_leaves_no_gap(home: Path) -> None:
    for form in (render(FIRST["objection-withdrawn"]).text, render(FIRST["objection-withdrawn"]).html):
        assert "请联系绍兴市柯桥区大数据发展管理中心。" in form


def test_a_department_reads_of_itself_and_others_read_its_name(home: Path) -> None:
    to_office = FIRST["rectification-escalated"]
    to_director = like(to_office, recipient="傅知远")
    assert "你单位的下列问题" in render(to_office).text
    assert "绍兴市柯桥区民政局的下列问题" in render(to_director).text


def test_a_listing_that_is_sent_back_has_no_date() -> None:
    rendered = render(like(FIRST["rule-revision-returned"], final=True, due_on=None, provisional=False))
    assert "重新报送" in rendered.text
    assert "截止日" not in rendered.text + rendered.html


def test_a_settled_date_is_not_called_provisional() -> None:
    notice = notices.ObjectionAccepted(**PARTY, field="坐落", due_on=LAST_DAY, provisional=False)
    assert "暂定" not in render(notice).text + render(notice).html


def test_only_a_new_version_is_spoken_of_as_one() -> None:
    upheld = render(like(FIRST["objection-closed"], corrected=False, new_version=False))
    elsewhere = render(like(FIRST["objection-closed"], corrected=True, new_version=False))
    assert "新版本" not in upheld.text + upheld.html + elsewhere.text + elsewhere.html
    assert "数据源头更正" in elsewhere.text
    assert "数据源头更正" in elsewhere.html


@EVERY_NOTICE
def test_no_value_of_any_notice_is_taken_for_html(notice: Notice) -> None:
    hostile = "<i>&amp;</i>"

    def spoilt(value: Any) -> Any:
        match value:
            case str():
                return value and value + hostile
            case list():
                return [spoilt(each) for each in value]
            case dict():
                return {name: spoilt(each) for name, each in value.items()}
        return value

    html = render(type(notice).model_validate(spoilt(notice.model_dump()))).html
    assert "<i>" not in html
    assert "&lt;i&gt;&amp;amp;" in html


def test_html_escapes_what_was_typed_and_text_keeps_it() -> None:
    typed = "<script>alert('1')</script>&\"坐落\""
    rendered = render(notices.ObjectionAccepted(**PARTY, field=typed, **A_DAY))
    assert typed in rendered.text
    assert "<script" not in rendered.html
    assert "&lt;script&gt;" in rendered.html


def test_what_was_typed_on_one_line_stays_on_one_line() -> None:
    evil = "坐落\r\nBcc: evil@example.com\u2028\u202e请到\x00别处"
    notice = notices.ObjectionAccepted(**PARTY, field=evil, **A_DAY)
    assert notice.field == "坐落 Bcc: evil@example.com 请到 别处"


def test_a_line_break_in_a_value_makes_no_header() -> None:
    notice = notices.VerificationSent(**PARTY, bureau="绍兴\r\nBcc: evil@example.com\r\n\r\n正文", sent_on=LAST_DAY)
    mail = parsed(message(notice, "a@example.com", "<1@example.com>", datetime.now(UTC)))
    assert mail["Bcc"] is None
    assert mail["Subject"] == "已向绍兴 Bcc: evil@example.com 正文提出核实需求（YY-2026-000001）"


@pytest.mark.parametrize("address", ["a@example.com\nBcc: b@example.com", "a@example.com, b@example.com", "a@b"])
def test_an_address_that_could_break_out_of_its_header_makes_no_message(address: str) -> None:
    with pytest.raises(AddressError):
        message(FIRST["objection-registered"], address, "<1@example.com>", datetime.now(UTC))


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_the_same_key_and_address_are_queued_once(kind: str, install: Callable[[str, str], Path]) -> None:
    install(kind, "migrated")
    for _ in range(2):
        with transaction() as session:
            for to in ("a@example.com", "a@example.com", "b@example.com"):
                queue(session, FIRST["objection-registered"], to, key="1", case_no=None, at=clock.now())
    assert rows() == 2


def test_a_notice_leaves_no_trace_when_its_step_fails(installation: Path) -> None:
    def step() -> None:
        with transaction() as session:
            queue(session, FIRST["objection-registered"], "a@example.com", key="1", case_no=None, at=clock.now())
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
        queue(session, FIRST["objection-registered"], "reader@example.com", key="1", case_no=None, at=clock.now())
    content = b"".join(path.read_bytes() for path in installation.glob("ezt.db*"))
    assert b"reader@example.com" not in content
    assert "不动产权证书".encode() not in content


@EVERY_NOTICE
def test_the_message_is_seven_bit_on_the_wire_and_says_what_sent_it(notice: Notice) -> None:
    at = datetime(2026, 12, 24, 18, 30, tzinfo=UTC)
    wire = message(notice, "a@example.com", "<1@kq.example.cn>", at)
    assert wire.isascii()
    assert max(map(len, wire.split(b"\r\n"))) <= 78
    assert b"\n" not in wire.replace(b"\r\n", b"")
    mail = parsed(wire)
    assert mail["Subject"] == render(notice).subject
    assert mail["From"] == "绍兴市柯桥区大数据发展管理中心 <ezt@kq.example.cn>"
    assert mail["To"] == "a@example.com"
    assert mail["Message-ID"] == "<1@kq.example.cn>"
    assert mail["Date"] == "Fri, 25 Dec 2026 02:30:00 +0800"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content_type() == "multipart/alternative"
    assert [part["Content-Type"] for part in mail.iter_parts()] == [
        'text/plain; charset="utf-8"',
        'text/html; charset="utf-8"',
    ]
    # A letter about a case goes to whom it concerns: nobody subscribed to it, and nobody can unsubscribe from it.
    assert [name for name in mail if name.startswith("List-") or name in ("Precedence", "Reply-To")] == []


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
        desk="http://127.0.0.1:4200",
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
            odd = notices.VerificationSent(**PARTY, bureau="../../局/" + "长" * 200, sent_on=LAST_DAY)
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
    program = children.start([sys.executable, "-m", "notifications.sink", "--port", str(port)])
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


def like(notice: Notice, **changed: Any) -> Notice:
    """The notice with other values."""
    return type(notice).model_validate(notice.model_dump() | changed)


def facts_of(notice: Notice) -> set[str]:
    """All that a notice knows, as a letter writes it; what only chooses the words is left out."""
    facts: set[str] = set()

    def add(name: str, value: object) -> None:
        match value:
            case bool() | None:
                pass
            case date():
                facts.add(full_date(value))
            case int():
                facts.update([article_name(value)] if name == "article" else [str(abs(value))] if value else [])
            case str():
                facts.update(line for line in value.splitlines() if line)
            case list():
                for each in value:
                    add(name, each)
            case _:
                for inner, each in cast("Any", value):
                    add(inner, each)

    for name, value in notice:
        add(name, value)
    if isinstance(notice, notices.SystemReviewPassed) and not notice.promised:
        facts.remove(notice.use_list)
    return facts


def shown(html: str) -> str:
    """What a mail program shows of a letter."""
    body = re.sub("(?s)<head>.*?</head>", "", html)
    return unescape(re.sub("<[^>]*>", "\n", re.sub(r"</?(a|span|strong)\b[^>]*>", "", body)))


def clauses(text: str) -> set[str]:
    return set(re.split(r"[\s，。；：（）]+", text)) - {""}


def parsed(wire: bytes) -> EmailMessage:
    """What a mail program reads from the wire."""
    return cast("EmailMessage", message_from_bytes(wire, policy=default))


def rows() -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(OutgoingNotice)) or 0


def make_due() -> None:
    with transaction() as session:
        session.query(OutgoingNotice).update({"next_attempt_at": clock.now(), "attempts": 0})
