"""A paper certificate that staff enter for a counter (Article 11)."""

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.states import Completed, Failed
from pydantic import ValidationError

from flows.asking import SignOff
from runtime.refusals import RefusalError, in_chinese
from tasks.backfill_applications import BackfillForm, values_in
from tasks.backfills import register_backfill
from tasks.case_runs import forget_parameters, nudge
from tasks.cases import check_entry


class BackfillIntake(BackfillForm, SignOff):
    """The start form: what the paper shows and who types it in."""


@flow(name="登记补录", persist_result=False, validate_parameters=False)
def backfill_intake(application: BackfillIntake) -> State[None]:
    """第十一条：办理业务时登记一件纸质证照的补录。登记后自动发起一个“纸质证照补录”，扫描件在其签名页上添加。

    Args:
        application: 纸质证照
    """
    # Parameters arrive unvalidated, because Prefect would repeat a wrong value in the run's failure message.
    try:
        given = BackfillIntake.model_validate(application)
    except ValidationError as error:
        forget_parameters()
        return Failed(message=in_chinese(error, BackfillIntake))
    actor = check_entry(given.staff_no, given.code)
    try:
        case_no = register_backfill(
            given.department,
            given.certificate_type,
            values_in(given.values),
            given.service_case_no,
            given.email,
            [],
            f"intake:{flow_run.id}",
            actor,
        )
    except RefusalError as why:
        forget_parameters()
        return Failed(message=str(why))
    forget_parameters(case_no=case_no)
    nudge(case_no)
    return Completed(message=f"已登记为{case_no}")
