"""An objection on its sheets (Article 12)."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.cases import Case
from models.objection_batches import ObjectionBatchRow
from models.objections import Attachment, Objection, Supplement, VerificationRequest
from regulation.certificates import mask_name, mask_number
from runtime import clock
from tasks.case.kind import Happened, KindSheet, Lines
from tasks.objections.questions import reply_of
from tasks.objections.steps import dispute_on, objection_of


def _subject(session: Session, case: Case) -> str:
    return objection_of(session, case.case_no).public_type


def _lines(session: Session, case: Case) -> Lines:
    objection = objection_of(session, case.case_no)
    attachments = session.scalars(select(Attachment.media_type).where(Attachment.case_no == case.case_no)).all()
    joined = session.scalars(select(Objection.case_no).where(Objection.lead_case_no == case.case_no)).all()
    asked = session.scalars(
        select(VerificationRequest)
        .where(VerificationRequest.case_no == case.case_no)
        .order_by(VerificationRequest.turn.desc())
    ).first()
    reply = reply_of(session, case.case_no)
    lines = [
        ("申请人", f"{objection.objector_kind} {mask_name(objection.objector_name)}"),
        ("证照", f"{objection.public_type} {mask_number(objection.certificate_reference)}"),
        ("有异议的项目", f"{objection.public_field}（{'、'.join(objection.grounds)}）"),
        ("附件", f"{len(attachments)}个" if attachments else "无"),
    ]
    if objection.certificate_root and (disputes := dispute_on(session, objection.certificate_root)):
        lines.append(("异议标记", f"该证照有异议正在核实（{'、'.join(disputes)}）"))
    batch_nos = select(ObjectionBatchRow.batch_no).where(
        ObjectionBatchRow.case_no == case.case_no, ObjectionBatchRow.new
    )
    if batch_no := session.scalar(batch_nos):
        lines.append(("批次", batch_no))
    if objection.remark:
        lines.append(("系统提示", objection.remark))
    if joined:
        lines.append(("并案", "、".join(joined)))
    if objection.lead_case_no:
        lines.append(("并入", objection.lead_case_no))
    if asked is not None:
        state = f"{clock.local_date(asked.sent_at)}发出" if asked.sent_at else asked.refusal or "尚未发出"
        lines.append(("核实需求", f"{asked.pursuit}（{asked.bureau}）：{state}"))
    if reply is not None:
        lines.append(("核实结论", f"{reply['finding']}（{reply['reply_no']}，{reply['replied_on']}）"))
    if objection.outcome is not None:
        lines.append(("处理结果", objection.outcome))
    return lines


def _full_lines(session: Session, case: Case) -> Lines:
    objection = objection_of(session, case.case_no)
    supplements = session.scalars(select(Supplement).where(Supplement.case_no == case.case_no).order_by(Supplement.id))
    reply = reply_of(session, case.case_no)
    lines = [
        ("申请人", f"{objection.objector_kind} {objection.objector_name}"),
        ("联系方式", f"{objection.phone}  {objection.email}"),
        ("证照", f"{objection.certificate_type} {objection.certificate_reference}"),
        ("有异议的项目", f"{objection.field_name}（{'、'.join(objection.grounds)}）"),
        ("证照上现在的内容", objection.stated),
        ("申请人认为应当是", objection.proposed),
        ("理由", objection.reason),
        *((f"补正（{clock.local_date(added.at)}）", added.text) for added in supplements),
    ]
    if reply is not None:
        lines += [("上级核实结论", reply["finding"]), ("回复内容", reply["content"])]
        lines += [("上级认定的内容", reply["corrected_value"])]
    if objection.disagreement is not None:
        lines.append(("不同意见", objection.disagreement))
    return lines


def _limit_met(detail: dict[str, Any]) -> str:
    kept = f"超期{detail['missed_by']}个工作日" if detail["missed_by"] else "按时"
    return f"完成第十二条5个工作日内提出核实需求，{kept}"


_HAPPENED: Happened = {
    "objection:case:registered": "登记，向申请人发出回执",
    "objection:case:joined": "并案，并入{lead}",
    "objection:case:released": "原并案的异议单独办理",
    "objection:supplement:requested": "告知申请人补正",
    "objection:supplement:handed-in": "申请人提交补正",
    "objection:supplement:taken": "补正结束，继续初审",
    "objection:case:accepted": "受理，证照加注异议标记",
    "objection:case:declined": "不予受理，已告知理由",
    "objection:verification:prepared": "拟好核实需求",
    "objection:verification:sent": "核实需求已发出（{bureau}，{pursuit}）",
    "objection:verification:not-reached": "上级平台未能连通，稍后自动重试",
    "objection:verification:refused": "上级平台退回核实需求",
    "objection:time-limit:met": _limit_met,
    "objection:reply:taken": "收到核实结果",
    "objection:outcome:decided": "认定处理结果：{outcome}",
    "certificate:version:corrected": "本区索引已更正为新版本",
    "certificate:version:left-to-source": "本区索引无此项，由数据源头更正",
    "certificate:version:synced": "本区登记已与数据源头同步",
    "certificate:version:changed-meanwhile": "证照在决定后有变动，未能更正登记，已列为待阅事项",
    "correction:department:told": "已告知用过错误信息的部门（{businesses}件业务）",
    "correction:department:answered": "用过错误信息的部门答复了如何处理",
    "objection:case:closed": "告知申请人结果，办结，去除异议标记",
    "objection:case:withdrawn": "申请人撤回",
    "objection:disagreement:logged": "登记申请人的不同意见",
}

OBJECTION = KindSheet("异议", _subject, _lines, _full_lines, _HAPPENED)
