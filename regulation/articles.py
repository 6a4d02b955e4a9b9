"""The 19 articles as data: number, text, and what carries each of them out.

``docs/articles.md`` is the same table for people; a test keeps the two and the code in agreement.
"""

from dataclasses import dataclass
from enum import StrEnum


class Standing(StrEnum):
    """How far an article is carried out here."""

    BUILT = "已建"
    PARTLY = "部分已建"
    UNBUILT = "待建"
    PEOPLE = "由人负责"


@dataclass(frozen=True, slots=True)
class Article:
    """One article: its text, the code that carries it out (``module:name``), and a remark for readers."""

    number: int
    text: str
    standing: Standing
    carried_out_by: tuple[str, ...]
    remark: str


ARTICLES = (
    Article(
        1,
        (
            "为规范全区电子证照管理，加快数字政府建设，根据《国务院关于在线政务服务的若干规定》(国务院第71"
            "6号令)、《全国一体化在线政务服务平台电子证照管理办法（试行）》的通知》（国办电政函〔2019〕"
            "247号）、《浙江省公共数据和电子政务管理办法》相关法律、法规和有关规定，结合我区实际，制定本办"
            "法。"
        ),
        Standing.PEOPLE,
        (),
        "立法目的与依据，不产生流程。",
    ),
    Article(
        2,
        (
            "本办法适用于全区各级行政机关以及具有公共管理和服务职能的事业单位及法律法规授权或受委托的社会组织"
            "，实施电子证照信息共享、监督管理等相关活动。"
        ),
        Standing.PEOPLE,
        (),
        "适用范围，由各单位职能确定。",
    ),
    Article(
        3,
        (
            "本办法所称电子证照，是指由计算机等电子设备形成、传输和存储的证件、执照等电子文件。\n"
            "本办法所称电子证照系统，是指由区大数据发展管理中心统一集中建设，提供电子证照的查询、验证、展示和"
            "证照信息提取等服务，联接省、市、区数据共享平台和业务应用系统的综合软件平台（简称“柯桥e证通”）"
            "。\n"
            "本办法所称电子证照使用部门，是指依据职能使用电子证照的机关、事业单位和法律法规授权或受委托的社会"
            "组织。\n"
            "本办法所称持证主体，是指电子证照的签发对象，包括自然人、法人和非法人组织。"
        ),
        Standing.BUILT,
        (
            "models.certificates:CertificateType",
            "tasks.register.type_files:import_types",
            "models.certificates:Certificate",
            "regulation.catalogue:HolderKind",
            "regulation.register_columns:read_off",
            "regulation.catalogue:state_on",
            "regulation.certificates:judge_identifier",
            "regulation.identity_numbers:parse_resident_number",
            "regulation.identity_numbers:parse_credit_code",
            "tasks.certificates.use:query",
            "tasks.certificates.reading:read_through",
            "gateways.certificate_platform:read_certificate",
        ),
        "证照目录、证照、三类持证主体，一证几个持证主体的各自都是；查询、验证、展示、信息提取；过时的数据向省、市平台重读。",
    ),
    Article(
        4,
        ("电子证照管理应当遵循“标准统一、集约建设、互认互通、同等效力、优先使用、利企便民、安全可靠”原则。"),
        Standing.PEOPLE,
        (),
        "原则，体现在各项功能的取舍中。",
    ),
    Article(
        5,
        (
            "区大数据发展管理中心是全区电子证照的综合管理单位（以下简称综合管理单位），负责建设维护电子证照系"
            "统，制定电子证照规范，统筹、管理全区电子证照，承担电子证照系统的数据保存和安全保障等工作。\n"
            "电子证照使用部门负责提供本单位电子证照应用事项、电子证照的应用、推广等工作。"
        ),
        Standing.BUILT,
        (
            "tasks.certificates.use:carry_out",
            "tasks.guides.paper_exceptions:enter_exception",
            "models.base:EncryptedText",
            "ezt.backups:back_up",
            "ezt.backups:restore",
            "ezt.doctor:examine",
        ),
        "系统的建设、统一接口、数据保存、备份恢复、自检和运维手册已建；电子证照规范由人制定。",
    ),
    Article(
        6,
        (
            "电子证照使用部门应当按照统一标准规范将业务系统与区电子证照系统对接，通过调用用证接口的方式，使用"
            "、查阅、核验、打印电子证照信息，依据职能合法合规使用电子证照。电子证照持证主体在公共管理和服务活"
            "动中，应当如实向电子证照签发和使用机构提交材料，并对其提交材料的真实性、有效性负责。"
        ),
        Standing.BUILT,
        (
            "web.certificates:router",
            "tasks.certificates.use:carry_out",
            "regulation.certificate_use:permission_for",
            "web.requests:authenticated",
            "tasks.office.applications:rotate_secret",
        ),
        "用证接口：查询、核验、提取、存档副本、亮证；打印件载明不作为电子证照使用。",
    ),
    Article(
        7,
        (
            "按照统一标准规范生成的电子证照与纸质证照具有同等法律效力，除法律、法规另有规定外，公共管理和服务"
            "活动中可以将其作为法定办事依据。"
        ),
        Standing.BUILT,
        (
            "tasks.guides.paper_exceptions:enter_exception",
            "flows.entries:paper_exception",
            "regulation.certificates:judge_identifier",
        ),
        "标识按国家标准核对；法律、法规要求纸质证照的例外登记在册，接口据此答复。",
    ),
    Article(
        8,
        (
            "优先使用电子证照。电子证照使用部门对可以通过区电子证照系统获得的电子证照不再要求电子证照持证主体"
            "提供纸质证照。"
        ),
        Standing.PARTLY,
        (
            "tasks.certificates.use:query",
            "tasks.certificates.use:authenticate",
            "tasks.certificates.reading:PlatformDownError",
        ),
        "可以查到、核验的不再要求纸质；上级平台不可用时凭编号可以收取纸质。办事指南索要纸质的由模拟办事比对发现，群众可以反映窗口索要纸质。",
    ),
    Article(
        9,
        (
            "制定用证清单。电子证照使用部门应细化应用场景，依据职能在用证清单范围内使用电子证照。用证清单应当"
            "实行动态管理，由使用机构及时向综合管理单位提供，由综合管理管理部门进行维护。"
        ),
        Standing.BUILT,
        (
            "flows.use_list:use_list_proposal",
            "flows.use_list:use_list_watch",
            "regulation.use_lists:enquiry_due",
            "tasks.use_list.standing:permissions_on",
            "tasks.use_list.steps:carry_out_review",
            "tasks.certificates.use:carry_out",
            "web.use_lists:propose",
        ),
        "用证清单的提出（接口、表格）、审核、按日查询和动态管理；清单以外的用证不予答复并报告。",
    ),
    Article(
        10,
        (
            "明确电子证照应用场景。电子证照使用部门应当明确持证主体可以单独出示电子证照的应用场景，符合应用场"
            "景且可以通过区电子证照系统核验的，持证主体可以通过移动端单独出示电子证照，向公共管理和服务机构工"
            "作人员表明身份、资质等。"
        ),
        Standing.BUILT,
        (
            "regulation.certificate_use:check_holder_alone",
            "tasks.certificates.holders:present",
            "tasks.certificates.holders:redeem",
            "gateways.zheliban:person_of",
            "web.own_certificates:show",
        ),
        "清单写明可以单独出示的场景；持证主体在网页或“浙里办”亮证，亮证码60秒内有效，只能用一次，只显示该场景的项目。",
    ),
    Article(
        11,
        (
            "电子证照使用规范。实名认证后的持证主体，可以通过“浙里办”进入“柯桥e证通”，查阅其电子证照。电"
            "子证照使用部门应当通过区电子证照系统获得有效的电子证照及存档副本。电子证照使用部门在办理业务过程"
            "中，通过对电子证照进行截图、扫描、拍照、打印或其他操作方式所形成的证照复制件不支持作为电子证照使"
            "用。老版纸质证照应当在办理相关业务时予以信息补录，完成证照电子化。"
        ),
        Standing.PARTLY,
        (
            "gateways.zheliban:person_of",
            "web.sign_in:sign_in",
            "tasks.certificates.own:own_certificates",
            "tasks.certificates.holders:uses_of_holder",
            "tasks.certificates.copies:issue_copy",
            "tasks.certificates.copies:recognise_copy",
            "tasks.certificates.copy_documents:examine",
            "web.archived_copies:check",
            "flows.backfill:paper_backfill",
            "regulation.backfill.judge:Judge",
            "tasks.backfill.steps:put_in_register",
            "web.backfills:enter",
            "flows.backfill:paper_backfill_batch",
            "regulation.backfill.acceptance_sampling:sampling_plan",
            "tasks.backfill.batches:register_batch",
            "tasks.backfill.scans:attach_scans",
            "tasks.backfill.confirmations:confirm",
            "web.backfills:enter_batch",
        ),
        "实名认证、持证主体查阅、存档副本的出具与辨认（接口、网页）、截图等不得作为电子证照使用、纸质证照的窗口逐件补录和批量补录（抽中的扫描件成批添加）已建，各项答复写明来源，由颁证机构成批确认；没有业务系统的部门，其窗口人员查证的网页待建。",
    ),
    Article(
        12,
        (
            "问题数据反馈机制。电子证照使用部门、持证主体及其他社会用证主体对电子证照信息准确性、完整性、时效"
            "性有异议的，有权向综合管理单位提出核查申请。综合管理单位应当在收到异议申请5个工作日内，向省、市"
            "大数据局提出数据核实需求，核实后由综合管理单位将处理结果告知异议申请人。"
        ),
        Standing.BUILT,
        (
            "flows.objections:objection_case",
            "flows.entries:objection_intake",
            "regulation.objections:STAGES",
            "regulation.objections:may_be_joined",
            "regulation.limits:VERIFICATION_REQUEST",
            "regulation.working_days:WorkingDays.due_date",
            "gateways.superior_bureaus:send_verification",
            "tasks.register.versions:correct",
            "tasks.objections.corrections:tell_users_of_wrong_value",
            "web.objections:hand_in",
            "flows.objections:objection_batch",
            "web.objection_batches:hand_in",
            "tasks.objections.lists:take_list",
            "tasks.desk.postings:register_posted",
            "web.objection_drafts:submit",
            "tasks.objections.drafts:hand_in",
            "tasks.objections.hearings:tell_holders",
            "tasks.objections.source_checks:ask_sources",
            "gateways.text_messages:send_text",
            "tasks.desk.postings:register_collected",
        ),
        "异议核查从登记到告知，证面的各项和证照状态都能更正，此后各种用证只见更正后的内容；更正后告知用过错误信息的部门并收其答复；由申请人在网页提出（实名登录或邮件确认），或由部门系统、工作人员登记；成批报送的一并登记、初审和提出核实需求，上级成批的回复一并登记；并案的各人主张一并核实，谁撤回、谁先提出都不影响其他人的权利；他人提出异议的，告知持证主体、听取其意见；区级数据源和在本区补录的，同时请责任部门核对；没有邮箱的以短信、信函或者当面领取（签送达回证）告知。",
    ),
    Article(
        13,
        ("管理备案。电子证照使用部门应当结合本单位实际，指定专人负责电子证照管理工作，并向综合管理单位备案。"),
        Standing.BUILT,
        (
            "flows.liaisons:liaison_filing",
            "flows.entries:liaison_intake",
            "tasks.office.recipients:liaison_on_file",
            "tasks.liaisons.steps:remind_departments",
            "web.liaisons:file_liaison",
        ),
        "专人的指定、变更、终止由部门系统或书面备案，经确认后在册；没有在册专人的部门每周提醒，且不能提出新的用证清单条目。",
    ),
    Article(
        14,
        (
            "追踪溯源。电子证照使用部门应当按照职责分工，采取身份认证、存取访问控制、信息审计跟踪等技术手段，"
            "建立电子证照更新、应用等全过程日志记录。"
        ),
        Standing.BUILT,
        (
            "tasks.audit:record",
            "tasks.certificates.journal:Journal",
            "regulation.records:check_block",
            "flows.housekeeping:system_round",
            "tasks.keeping.records:verify_record",
            "tasks.certificates.holders:uses_of_holder",
            "tasks.certificates.own:doubt_use",
            "tasks.office.signatures:sign",
            "tasks.office.officer_register:register_officer",
            "tasks.desk.case_page:case_page",
            "tasks.case.answers:changed_answers",
            "web.requests:authenticated",
        ),
        "办件和用证全过程日志及其封存、核验、导出；持证主体可以查知谁用过自己的证照，有疑问的由工作人员核实；接口签名，工作人员一次性验证码。",
    ),
    Article(
        15,
        (
            "安全保障。综合管理单位负责建立全区电子证照的安全管理制度和保障体系，指导有关单位落实安全管理责任"
            "，制定应急预案，保障区电子证照系统的安全运行；区级相关部门（单位）应当按照各自职责，组织落实本系"
            "统电子证照安全管理责任，保障相关业务系统的安全运行；电子证照使用部门应当严格遵守区电子证照系统的"
            "安全管理要求，加强本单位业务系统和电子证照的信息安全管理，保障电子证照信息合法合规使用，不得侵害"
            "持证主体的商业秘密和个人隐私。"
        ),
        Standing.PARTLY,
        (
            "runtime.keys:Keys",
            "tasks.keeping.data_keys:re_encrypt",
            "tasks.office.officer_register:new_code_secret",
            "models.base:EncryptedText",
            "regulation.certificate_use:check_authorised",
            "web.own_certificates:give",
            "ezt.doctor:examine",
            "ezt.backups:back_up",
        ),
        "个人信息加密存储，密钥和工作人员验证码可以更换；清单要求的须经持证主体授权，持证主体在网页或“浙里办”授权、撤回；"
        "威胁与对策见docs/security.md；应急预案文本见运维手册第九节，由综合管理单位审定、演练；其余安全制度由人制定。",
    ),
    Article(
        16,
        (
            "消除应用障碍。电子证照使用部门应当对本单位现行管理制度和业务流程中与本办法不相适应的条款进行修订"
            "，逐步消除电子证照应用障碍。"
        ),
        Standing.BUILT,
        (
            "flows.rule_revisions:rule_revision",
            "flows.entries:rule_revision_intake",
            "regulation.rule_revisions:check_planned_day",
            "tasks.rule_revisions.steps:list_rule",
            "tasks.rule_revisions.steps:track_revision",
            "tasks.rule_revisions.watch:remind_of_revisions",
            "web.rule_revisions:router",
        ),
        "部门报送妨碍电子证照应用的制度（接口或书面），经确认后逐件跟踪、提醒，直到修订后的制度施行；条款怎样修订由部门决定。",
    ),
    Article(
        17,
        (
            "日常监督。综合管理单位应当通过随机抽查、模拟办事、电子督查等方式对电子证照使用部门的电子证照管理"
            "工作进行日常监督，发现问题的，及时督促整改；新建涉及行政许可、备案和公共服务事项的部门信息系统，"
            "未明确电子证照签发、使用和共享等建设内容的，综合管理单位不予评审。"
        ),
        Standing.BUILT,
        (
            "flows.spot_checks:spot_check",
            "regulation.spot_check_draws:draw_sample",
            "regulation.spot_check_draws:draw_teams",
            "flows.supervision:mystery_application",
            "regulation.service_guides:compare",
            "tasks.supervision.mystery_applications:play_round",
            "flows.supervision:online_supervision",
            "regulation.online_supervision:RULES",
            "flows.entries:visit",
            "web.paper_reports:report",
            "tasks.rectifications.findings:note_findings",
            "flows.rectifications:rectification",
            "tasks.supervision.rechecks:recheck_by_rule",
            "tasks.rectifications.watch:remind_of_rectifications",
            "flows.system_reviews:system_review",
            "regulation.system_reviews:gaps",
            "flows.system_reviews:go_live_check",
            "tasks.system_reviews.steps:behind_reference",
            "flows.supervision:supervision_report",
            "tasks.supervision.figures:figures_of",
        ),
        "双随机抽查（抽取可由任何人复算）、模拟办事、现场体验、群众反映、每夜电子督查、督促整改、新建系统评审与上线核对、监督报告；"
        "问题是否成立、整改是否到位由人判断，通报由区政府作出。",
    ),
    Article(
        18,
        "本办法由区大数据发展管理中心负责解释。",
        Standing.PEOPLE,
        (),
        "解释权归区大数据发展管理中心，由人行使。",
    ),
    Article(
        19,
        "本办法自公布之日起试行。",
        Standing.PEOPLE,
        (),
        "试行起始日为公布之日，见 regulation/limits.py。",
    ),
)


def table() -> str:
    """The Markdown table of ``docs/articles.md``: one row an article."""
    rows = ["| 条 | 状态 | 由什么执行 | 说明 |", "| --- | --- | --- | --- |"]
    for article in ARTICLES:
        code = "、".join(f"`{name}`" for name in article.carried_out_by) or "—"
        rows.append(f"| 第{article.number}条 | {article.standing} | {code} | {article.remark} |")
    return "\n".join(rows) + "\n"
