"""The filing of a liaison officer, by a department or on paper (Article 13)."""

from prefect import flow
from prefect.client.schemas.objects import State

from flows.asking import SignOff, ask
from flows.registration import part_of, register
from flows.story import story
from regulation.liaisons import Verdict
from tasks.liaisons.filings import LiaisonFilingForm
from tasks.liaisons.questions import LiaisonConfirmation
from tasks.liaisons.steps import file_for_department, put_on_file, return_filing
from tasks.office.departments import DepartmentText


@story("专人备案")
def liaison_filing(case_no: str) -> None:
    """第十三条：电子证照使用部门应当结合本单位实际，指定专人负责电子证照管理工作，并向综合管理单位备案。

    Args:
        case_no: 办件编号，如 ZR-2026-000001；收到备案后自动发起，通常无需手工填写
    """
    if Verdict(ask(case_no, LiaisonConfirmation)["verdict"]) is Verdict.CONFIRM:
        put_on_file(case_no)
    else:
        return_filing(case_no)


class LiaisonIntake(LiaisonFilingForm, SignOff):
    """The start form: the filing, whose it is, and who types it in."""

    department: DepartmentText


@flow(name="专人备案登记", persist_result=False, validate_parameters=False)
def liaison_intake(application: LiaisonIntake) -> State[None]:
    """第十三条：登记部门书面报送的专人备案。登记后自动发起一个“专人备案”，由经办人确认。

    Args:
        application: 专人备案
    """
    return register(
        application,
        LiaisonIntake,
        lambda given, key, actor: file_for_department(part_of(given, LiaisonFilingForm), given.department, key, actor),
    )
