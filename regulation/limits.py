"""Every statutory or internal number once: value, unit, article and since when it holds.

A number that the measures give is *statutory*; where they are silent the Center sets a *service norm*, and the two
are never mixed. The measures are a draft for approval (送审稿) that applies from the day of its publication
(Article 19), which is not known yet: ``in_force_from`` of ``None`` means that day.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Clock(StrEnum):
    """Which of the two clocks a limit runs on."""

    STATUTORY = "statutory"
    SERVICE = "service"


class Unit(StrEnum):
    WORKING_DAYS = "working days"
    DAYS = "days"
    TIMES = "times"
    BYTES = "bytes"
    FILES = "files"
    LINES = "lines"
    SECONDS = "seconds"
    MINUTES = "minutes"
    CHARACTERS = "characters"
    PERIODS = "periods"
    PER_TEN_THOUSAND = "per ten thousand"
    POINTS = "points"
    PERSONS = "persons"
    PERCENT = "percent"
    TENTHS = "tenths"
    HOURS = "o'clock"


@dataclass(frozen=True, slots=True)
class Limit:
    """One number with its unit and its source."""

    code: str
    value: int
    unit: Unit
    source: str
    label: str
    clock: Clock = Clock.SERVICE
    in_force_from: date | None = None


MEASURES_VERSION = "送审稿（试行）"
"""Every case keeps the version of the measures under which it was handled."""

VERIFICATION_REQUEST = Limit(
    "verification-request",
    5,
    Unit.WORKING_DAYS,
    # Article 12 counts "within 5 working days of receipt". That the day of receipt is not counted is Civil Code
    # Art. 201 applied by analogy: no administrative text was found that says so.
    "第十二条；起算参照《民法典》第二百零一条",
    "向省、市大数据局提出核实需求",
    Clock.STATUTORY,
)
# Article 12 counts from the day on which an objection was received, not from that on which somebody typed it in.
TYPED_LATE = Limit("typed-late", 5, Unit.WORKING_DAYS, "内部规定（第十二条）", "收到异议后登记，超过须写明原因")
TYPED_AGE = Limit("typed-age", 365, Unit.DAYS, "内部规定（第十二条）", "登记的收到日期距今的最长时间")
INITIAL_REVIEW = Limit("initial-review", 2, Unit.WORKING_DAYS, "内部时限", "初审")
SUPPLEMENT = Limit("supplement", 10, Unit.WORKING_DAYS, "内部时限", "申请人补正")
URGE = Limit("urge", 5, Unit.WORKING_DAYS, "内部时限", "上级未回复时催办")
OUTCOME_NOTICE = Limit("outcome-notice", 2, Unit.WORKING_DAYS, "内部时限", "收到核实结果后告知")
# Article 12 does not say who in the Center decides: that a second person looks at what ends an objection, and how fast,
# the Center sets.
APPROVAL = Limit("approval", 1, Unit.WORKING_DAYS, "内部时限（第十二条）", "审签")
# Article 12 gives the holder no time to speak to an objection of somebody else's: it is as long as the Center has for
# the request, which does not wait for it.
HOLDER_COMMENT = Limit(
    "holder-comment", 5, Unit.WORKING_DAYS, "内部时限（第十二条、第十五条）", "持证主体对他人异议提出意见"
)
SOURCE_ANSWER = Limit("source-answer", 5, Unit.WORKING_DAYS, "内部时限（第十二条）", "区级责任部门核对有异议的登记")
DELIVERY = Limit("delivery", 3, Unit.WORKING_DAYS, "内部规定（第十二条）", "挂号信寄出后视为送达的时间")
HOLDER_COMMENTS = Limit("holder-comments", 10, Unit.TIMES, "内部规定", "持证主体对一件异议在网上提出意见的次数")
APPROVED_AT_ONCE = Limit("approved-at-once", 1000, Unit.LINES, "内部规定（第十二条）", "一次审签的稿件数")
# A notice that no e-mail reaches has told nobody yet: it has as long by post as the outcome has to be told at all.
POSTING = Limit("posting", 2, Unit.WORKING_DAYS, "内部时限", "送不到邮箱的通知邮寄")

URGES_BEFORE_ESCALATION = Limit("urges-before-escalation", 2, Unit.TIMES, "内部规定", "催办次数，之后报省")
REMINDER_DAYS = (2, 1, 0)
"""Working days before a due date on which the case officer is reminded (internal rule)."""

# Article 12 gives whoever objects no form: what is filled in and not handed in yet, the Center keeps for a while.
DRAFT_LIFE = Limit("draft-life", 7, Unit.DAYS, "内部规定（第十二条）", "异议草稿自最后修改起的保存时间")
DRAFTS = Limit("drafts", 20, Unit.TIMES, "内部规定", "一个来源地址一小时内新建异议草稿的次数")
DRAFT_CHANGES = Limit("draft-changes", 120, Unit.TIMES, "内部规定", "一个来源地址一小时内保存异议草稿的次数")
CONFIRMATION_MAILS = Limit("confirmation-mails", 5, Unit.TIMES, "内部规定", "一小时内向一个邮箱发确认邮件的次数")
CHECKS = Limit("checks", 60, Unit.TIMES, "内部规定", "一个来源地址一小时内核对副本、验算抽查的次数")
CHECKS_AT_ONCE = Limit("checks-at-once", 2, Unit.TIMES, "内部规定", "一个网页进程同时验算抽查的次数")
ATTACHMENT_SIZE = Limit("attachment-size", 10 * 1024 * 1024, Unit.BYTES, "内部规定", "单个附件大小")
ATTACHMENT_COUNT = Limit("attachment-count", 10, Unit.FILES, "内部规定", "附件数量")
REQUEST_SIZE = Limit("request-size", 32 * 1024 * 1024, Unit.BYTES, "内部规定", "一次请求的大小")
SIGNATURE_WINDOW = Limit("signature-window", 300, Unit.SECONDS, "内部规定", "请求签名的时间窗口")

# Article 14 wants to know who did what. The measures say nothing of one-time codes: how often one may be wrong before
# the next is looked at later only, the Center sets.
WRONG_CODES = Limit(
    "wrong-codes", 5, Unit.TIMES, "内部规定（第十四条）", "同一工号在一处填错验证码的次数，之后须等待再试"
)
STRANGERS_WRONG_CODES = Limit(
    "strangers-wrong-codes",
    20,
    Unit.TIMES,
    "内部规定（第十四条）",
    "一个工号未曾签名的各来源地址，或一个来源地址对各工号，填错验证码的次数，之后须等待再试",
)
WRONG_CODE_WINDOW = Limit("wrong-code-window", 86_400, Unit.SECONDS, "内部规定（第十四条）", "填错验证码的计数时间")
WRONG_CODE_WAIT = Limit(
    "wrong-code-wait", 60, Unit.SECONDS, "内部规定（第十四条）", "填错验证码过多后首次等待的时间，再错加倍"
)
WRONG_CODE_LONGEST_WAIT = Limit(
    "wrong-code-longest-wait", 3600, Unit.SECONDS, "内部规定（第十四条）", "填错验证码后等待的最长时间"
)
SIGNED_BEFORE = Limit("signed-before", 90, Unit.DAYS, "内部规定（第十四条）", "来源地址自工号最后签名起算熟悉的时间")
URGENT_DAYS = Limit("urgent-days", 2, Unit.WORKING_DAYS, "内部规定", "截止前列为“两日内”的工作日数")
DESK_IDLE = Limit("desk-idle", 30, Unit.MINUTES, "内部规定（第十四条）", "工作台登录后不操作即退出的时间")
DESK_SESSION = Limit("desk-session", 8 * 60, Unit.MINUTES, "内部规定（第十四条）", "工作台一次登录的最长时间")
DESK_SIGN_ONS = Limit(
    "desk-sign-ons", 60, Unit.TIMES, "内部规定（第十四条）", "一个来源地址一小时内经浙政钉登录未成功的次数"
)
ENTRY_LIFE = Limit("entry-life", 1, Unit.DAYS, "内部规定（第十四条）", "工作台上填写、还没有签名的登记的保存时间")
ENTRIES = Limit("entries", 50, Unit.TIMES, "内部规定（第十四条）", "一名工作人员同时未完成的登记件数")

# Article 9 wants the use list kept up (动态管理), Article 13 the designated person filed. How fast either is answered,
# and when an entry has to show that it is still needed, the Center sets itself.
USE_LIST_REVIEW = Limit("use-list-review", 5, Unit.WORKING_DAYS, "内部时限", "审核用证清单")
LIAISON_CONFIRMATION = Limit("liaison-confirmation", 2, Unit.WORKING_DAYS, "内部时限", "确认专人备案")
PROPOSED_LINES = Limit("proposed-lines", 500, Unit.LINES, "内部规定", "一次提出的用证清单条目数")
UNUSED_ENTRY = Limit("unused-entry", 180, Unit.DAYS, "内部规定（第九条“动态管理”）", "用证清单条目未使用即询问")
ENTRY_CONFIRMATION = Limit("entry-confirmation", 365, Unit.DAYS, "内部规定（第九条“动态管理”）", "用证清单条目确认周期")
ENQUIRY_ANSWER = Limit("enquiry-answer", 10, Unit.WORKING_DAYS, "内部时限", "部门答复用证清单询问")
REFUSED_USES = Limit("refused-uses", 5, Unit.TIMES, "内部规定", "一个部门一天用证被拒即列为待阅事项的次数")
LIAISON_OVERLAP = Limit("liaison-overlap", 30, Unit.DAYS, "内部规定", "专人变更时新旧并存的最长时间")
LIAISON_REMINDER = Limit("liaison-reminder", 7, Unit.DAYS, "内部规定", "提醒未备案专人的部门的间隔")

CALLS_A_MINUTE = Limit("calls-a-minute", 6000, Unit.TIMES, "内部规定", "一个应用每分钟的调用次数")
SECRET_OVERLAP = Limit("secret-overlap", 7, Unit.DAYS, "内部规定", "应用更换密钥时新旧并存的时间")
PRESENTATION_LIFE = Limit("presentation-life", 60, Unit.SECONDS, "内部规定（第十条）", "亮证码的有效时间")
SIGN_INS = Limit("sign-ins", 60, Unit.TIMES, "内部规定", "一个来源地址一小时内登录未成功的次数")
HOLDER_SESSION = Limit("holder-session", 1800, Unit.SECONDS, "内部规定", "持证主体会话的有效时间")
AUTHORISATION_LIFE = Limit("authorisation-life", 30, Unit.DAYS, "内部规定", "持证主体授权的最长时间")
WRONG_VALUE_ANSWER = Limit(
    "wrong-value-answer", 10, Unit.WORKING_DAYS, "内部时限（第十二条）", "部门答复如何处理用过的错误信息"
)

# Article 11 gives no number for the backfill (信息补录): how it is reviewed and what a file may hold, the Center sets.
BACKFILL_REVIEW = Limit("backfill-review", 5, Unit.WORKING_DAYS, "内部时限（第十一条）", "审核纸质证照补录")
BACKFILL_CORRECTION = Limit("backfill-correction", 10, Unit.WORKING_DAYS, "内部时限（第十一条）", "更正补录内容")
BACKFILL_AQL = Limit(
    "backfill-aql", 100, Unit.PER_TEN_THOUSAND, "内部规定；取GB/T 2828.1的优先数值1.0", "补录批次抽检的接收质量限"
)
BACKFILL_ROWS = Limit("backfill-rows", 2_000_000, Unit.LINES, "内部规定", "一个补录文件的行数")
LONGEST_NAME = Limit("longest-name", 200, Unit.CHARACTERS, "内部规定", "补录的名称")
LONGEST_ADDRESS = Limit("longest-address", 300, Unit.CHARACTERS, "内部规定", "补录的地址")
LONGEST_NUMBER = Limit("longest-number", 100, Unit.CHARACTERS, "内部规定", "补录的编号")
LONGEST_TEXT = Limit("longest-text", 4000, Unit.CHARACTERS, "内部规定", "补录的其他内容（如经营范围）")
VALID_FROM_AHEAD = Limit("valid-from-ahead", 366, Unit.DAYS, "内部规定", "补录的有效期起始日可以晚于当天的时间")
EARLIEST_ISSUE = date(1949, 10, 1)
"""No certificate of today's authorities is older than the People's Republic (internal rule)."""
EARLIEST_BIRTH = date(1850, 1, 1)
"""Before it a year is a slip of the pen (internal rule): the oldest number in GB 11643 is of 1880."""

REPORT_TREND = Limit("report-trend", 6, Unit.PERIODS, "内部规定", "监督报告中趋势的期数")

# Article 17 wants findings rectified promptly (及时) and gives no number; how long a department has, and the Center
# itself for each of its decisions, the Center sets. Article 16 gives no date by which rules are revised.
FINDING_DECISION = Limit("finding-decision", 3, Unit.WORKING_DAYS, "内部时限（第十七条“及时”）", "处置监督发现的问题")
RECTIFICATION = Limit("rectification", 20, Unit.WORKING_DAYS, "内部时限（第十七条“及时”）", "部门整改")
"""The longest; each notice sets its own number of working days, within ``RECTIFICATION_DAYS``."""
RECTIFICATION_DAYS = {"严重": (3, 5), "较重": (5, 10), "一般": (10, RECTIFICATION.value)}
"""The fewest and the most working days for a rectification, by the finding's severity (internal rule)."""
EXTENSION_DAYS = Limit("extension-days", 10, Unit.WORKING_DAYS, "内部规定", "整改延期的最长时间")
EXTENSION_REVIEW = Limit("extension-review", 2, Unit.WORKING_DAYS, "内部时限", "审核整改延期申请")
RECHECK = Limit("recheck", 5, Unit.WORKING_DAYS, "内部时限（第十七条）", "复查整改情况")
FAILURES_BEFORE_ESCALATION = Limit(
    "failures-before-escalation", 2, Unit.TIMES, "内部规定", "整改不到位的次数，之后提请区政府督查通报"
)
RULE_REVISION_CONFIRMATION = Limit(
    "rule-revision-confirmation", 3, Unit.WORKING_DAYS, "内部时限（第十六条）", "确认报送的制度障碍"
)
RULE_REVISION = Limit("rule-revision", 180, Unit.DAYS, "内部规定（第十六条“逐步”）", "部门修订制度")
"""How far ahead a department may plan a revision; its own planned day is the limit on its case, in working days."""
RULE_REVISION_AGAIN = Limit("rule-revision-again", 30, Unit.WORKING_DAYS, "内部规定", "退回后再次修订的最长时间")
RULE_REVISION_CHECK = Limit("rule-revision-check", 5, Unit.WORKING_DAYS, "内部时限（第十六条）", "核对修订后的制度")
RULE_REVISION_REMINDER = Limit("rule-revision-reminder", 10, Unit.WORKING_DAYS, "内部规定", "计划修订日期前提醒部门")
DEPARTMENT_REMINDER = Limit("department-reminder", 2, Unit.WORKING_DAYS, "内部规定", "截止日前提醒部门")
# Article 17 gives no number for random spot checks (随机抽查). “双随机、一公开” (国办发〔2015〕58号、国发〔2019〕5号)
# asks for a rate, a frequency and results in public, and leaves the numbers to whoever checks; none of days was found.
SPOT_CHECK_RATE = Limit("spot-check-rate", 500, Unit.PER_TEN_THOUSAND, "内部规定（第十七条）", "每轮抽查的最低比例")
SPOT_CHECK_COMPLAINT_RATE = Limit(
    "spot-check-complaint-rate",
    500,
    Unit.PER_TEN_THOUSAND,
    "内部规定（第十七条）",
    "每有一件群众反映提高的抽查比例",
)
SPOT_CHECK_COMPLAINTS = Limit("spot-check-complaints", 3, Unit.TIMES, "内部规定", "抽查计入的群众反映件数")
SPOT_CHECK_LOOKBACK = Limit("spot-check-lookback", 365, Unit.DAYS, "内部规定", "抽查计入问题和群众反映的时间")
SPOT_CHECK_BASE_POINTS = Limit("spot-check-base-points", 10, Unit.POINTS, "内部规定", "抽查对象的基础权重")
SPOT_CHECK_FINDING_POINTS = Limit("spot-check-finding-points", 10, Unit.POINTS, "内部规定", "每个问题增加的权重")
SPOT_CHECK_FINDINGS = Limit("spot-check-findings", 5, Unit.TIMES, "内部规定", "抽查计入的问题个数")
SPOT_CHECK_COMPLAINT_POINTS = Limit("spot-check-complaint-points", 20, Unit.POINTS, "内部规定", "每件反映增加的权重")
SPOT_CHECK_VOLUME_POINTS = Limit("spot-check-volume-points", 2, Unit.POINTS, "内部规定", "业务量每翻一番增加的权重")
SPOT_CHECK_UNCHECKED_POINTS = Limit("spot-check-unchecked-points", 3, Unit.POINTS, "内部规定", "每满一期未查增加的权重")
SPOT_CHECK_UNCHECKED_TERM = Limit("spot-check-unchecked-term", 90, Unit.DAYS, "内部规定", "未查时间的一期")
SPOT_CHECK_UNCHECKED_TERMS = Limit("spot-check-unchecked-terms", 8, Unit.TIMES, "内部规定", "抽查计入的未查期数")
SPOT_CHECK_TEAM = Limit("spot-check-team", 2, Unit.PERSONS, "内部规定；参照《行政处罚法》第四十二条", "检查组人数")
SPOT_CHECK_RESULTS = Limit("spot-check-results", 15, Unit.WORKING_DAYS, "内部时限（第十七条）", "登记抽查结果")
SPOT_CHECK_PUBLICATION = Limit(
    "spot-check-publication", 20, Unit.WORKING_DAYS, "内部时限；国发〔2019〕5号要求公示", "检查结束后公布抽查结果"
)

# Article 17 refuses to review what does not provide for certificates and gives no number: how fast staff review, how
# little is nothing, and when what was promised must have come, the Center sets.
SYSTEM_REVIEW = Limit("system-review", 10, Unit.WORKING_DAYS, "内部时限（第十七条）", "评审新建系统")
SYSTEM_SUPPLEMENT = Limit("system-supplement", 10, Unit.WORKING_DAYS, "内部时限（第十七条）", "部门补充评审材料")
PROVISION_LENGTH = Limit("provision-length", 15, Unit.CHARACTERS, "内部规定（第十七条）", "建设内容一项的最少字数")
PERSONS_AT_SCALE = Limit(
    "persons-at-scale",
    100_000,
    Unit.PERSONS,
    "内部规定（第十五条）；定级方法见GB/T 22240，各级基本要求见GB/T 22239",
    "个人信息达到规模、须按等级保护第三级建设的人数",
)
SYSTEM_LINES = Limit("system-lines", 200, Unit.LINES, "内部规定", "一个系统评审的事项数、用证条目数")
GO_LIVE_AHEAD = Limit("go-live-ahead", 1830, Unit.DAYS, "内部规定", "计划上线日期距今的最长时间")
GO_LIVE_REMINDER = Limit("go-live-reminder", 15, Unit.WORKING_DAYS, "内部规定（第十七条）", "上线前提醒部门")
GO_LIVE_GRACE = Limit("go-live-grace", 10, Unit.WORKING_DAYS, "内部规定（第十七条）", "上线后核对承诺的宽限")
GO_LIVE_SILENCE = Limit("go-live-silence", 60, Unit.DAYS, "内部规定（第十七条）", "上线后事项没有任何用证即督促")
GUIDE_MATERIALS = Limit("guide-materials", 200, Unit.LINES, "内部规定", "一项办事指南的材料数")
TRIAL_SECRET = Limit("trial-secret", 7200, Unit.SECONDS, "内部规定（第十七条）", "模拟办事用的密钥和授权的有效时间")
PAPER_REPORT_CHECK = Limit("paper-report-check", 5, Unit.WORKING_DAYS, "内部时限（第八条）", "核实群众反映")
PAPER_REPORTS = Limit("paper-reports", 10, Unit.TIMES, "内部规定", "一个来源地址一小时内提交群众反映的次数")
REPORT_AGE = Limit("report-age", 366, Unit.DAYS, "内部规定", "群众反映可以追溯的时间")

# Online supervision (Article 17): from when on the record asks for an explanation. A number of times is meant for
# SUPERVISED_DAYS; over fewer or more days it is proportionally smaller or greater.
SUPERVISED_DAYS = Limit("supervised-days", 30, Unit.DAYS, "内部规定（第十七条）", "电子督查回看的天数")
RECHECKED_DAYS = Limit("rechecked-days", 7, Unit.DAYS, "内部规定（第十七条）", "整改复查回看的天数")
NIGHTS_MADE_UP = Limit("nights-made-up", 7, Unit.DAYS, "内部规定（第十七条）", "停机后逐日补做电子督查的天数")
OUTSIDE_LIST_USES = Limit("outside-list-uses", 20, Unit.TIMES, "内部规定（第九条）", "一个事项清单外用证被拒的次数")
OUTSIDE_LIST_DAYS = Limit("outside-list-days", 3, Unit.DAYS, "内部规定（第九条）", "清单外用证被拒分布的天数")
MATTER_HOLDERS = Limit("matter-holders", 20, Unit.TIMES, "内部规定（第九条、第十四条）", "一个办件编号的持证主体数")
OPERATOR_USES = Limit("operator-uses", 50, Unit.TIMES, "内部规定（第十四条）", "一名操作员一天的用证次数，不足的不比较")
OPERATOR_DAYS = Limit("operator-days", 10, Unit.DAYS, "内部规定（第十四条）", "与操作员本人比较所需的用证天数")
OPERATOR_PEERS = Limit("operator-peers", 5, Unit.TIMES, "内部规定（第十四条）", "与同部门操作员比较所需的人数")
OPERATOR_MULTIPLE = Limit("operator-multiple", 5, Unit.TIMES, "内部规定（第十四条）", "操作员用证次数为中位数的倍数")
OPERATOR_SCORE = Limit(
    "operator-score", 35, Unit.TENTHS, "内部规定；Iglewicz与Hoaglin（1993）建议的修正Z值3.5", "操作员用证次数的修正Z值"
)
DAY_BEGINS = Limit("day-begins", 7, Unit.HOURS, "内部规定（第十四条）", "工作日用证不算夜间的起始时刻")
DAY_ENDS = Limit("day-ends", 20, Unit.HOURS, "内部规定（第十四条）", "工作日用证不算夜间的结束时刻")
OFF_HOURS_USES = Limit("off-hours-uses", 50, Unit.TIMES, "内部规定（第十四条）", "一个部门夜间和休息日的用证次数")
OFF_HOURS_SHARE = Limit("off-hours-share", 30, Unit.PERCENT, "内部规定（第十四条）", "夜间和休息日用证的占比")
BUSY_USES = Limit("busy-uses", 100, Unit.TIMES, "内部规定（第八条）", "事项其他证照的用证次数，达到的算办件多")
BUSY_DAYS = Limit("busy-days", 10, Unit.DAYS, "内部规定（第八条）", "事项其他证照用证分布的天数")
PAPER_MATTERS = Limit("paper-matters", 20, Unit.TIMES, "内部规定（第八条）", "一个部门收取纸质证照的件数")
PAPER_SHARE = Limit("paper-share", 10, Unit.PERCENT, "内部规定（第八条）", "收取纸质证照占用证的比例")
PAPER_MULTIPLE = Limit("paper-multiple", 3, Unit.TIMES, "内部规定（第八条）", "收取纸质证照占比为其他部门中位数的倍数")
PAPER_PEERS = Limit("paper-peers", 5, Unit.TIMES, "内部规定（第八条）", "比较纸质占比所需的其他部门数")
COMPARED_USES = Limit("compared-uses", 100, Unit.TIMES, "内部规定（第八条）", "参与比较的部门的用证次数")
PLATFORM_UP_USES = Limit("platform-up-uses", 20, Unit.TIMES, "内部规定（第八条）", "可判断平台正常的其他部门用证次数")
PLATFORM_UP_SHARE = Limit("platform-up-share", 5, Unit.PERCENT, "内部规定（第八条）", "算平台故障的其他部门回执占比")
NOT_VALID_MATTERS = Limit("not-valid-matters", 5, Unit.TIMES, "内部规定（第十一条）", "一个事项凭无效证照办理的件数")
LIAISON_ABSENT = Limit("liaison-absent", 14, Unit.DAYS, "内部规定（第十三条）", "首次提醒后仍未备案专人的天数")
