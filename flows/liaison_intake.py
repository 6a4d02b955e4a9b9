"""A filing of a liaison officer that came on paper (Article 13)."""

from prefect import flow
from prefect.client.schemas.objects import State

from flows.asking import SignOff
from flows.registration import part_of, register
from tasks.departments import DepartmentText
from tasks.liaison_filings import LiaisonFilingForm
from tasks.liaisons import file_for_department


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
