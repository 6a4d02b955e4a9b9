"""A paper certificate that staff enter for a counter (Article 11)."""

from prefect import flow
from prefect.client.schemas.objects import State

from flows.asking import SignOff
from flows.registration import register
from tasks.backfill_applications import BackfillForm, values_in
from tasks.backfills import register_backfill


class BackfillIntake(BackfillForm, SignOff):
    """The start form: what the paper shows and who types it in."""


@flow(name="登记补录", persist_result=False, validate_parameters=False)
def backfill_intake(application: BackfillIntake) -> State[None]:
    """第十一条：办理业务时登记一件纸质证照的补录。登记后自动发起一个“纸质证照补录”，扫描件在其签名页上添加。

    Args:
        application: 纸质证照
    """
    return register(
        application,
        BackfillIntake,
        lambda given, key, actor: register_backfill(
            given.department,
            given.certificate_type,
            values_in(given.values),
            given.service_case_no,
            given.email,
            [],
            key,
            actor,
        ),
    )
