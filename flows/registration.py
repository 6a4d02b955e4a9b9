"""Registering what a start form says: the case has a run of its own, and nothing of the form stays in Prefect."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.states import Completed, Failed
from pydantic import BaseModel, ValidationError

from flows.asking import S, until_signed
from runtime.refusals import RefusalError, in_chinese
from tasks.desk.runs import forget_parameters, nudge

F = TypeVar("F", bound=BaseModel)


def register(
    application: object,
    form: type[S],
    work: Callable[[S, str, str], str],
    hints: Callable[[str], Sequence[tuple[str, str]]] = lambda _case_no: (),
) -> State[None]:
    """Register an application by ``work``, which takes the form, a key that names this one submission and who typed it
    in, and gives the case number; the state that the run ends in. ``hints`` gives what is better looked at again in a
    case, without a name or a value: it stays in Prefect.

    Parameters arrive unvalidated, because Prefect would repeat a wrong value in the run's failure message.
    """
    try:
        given = form.model_validate(application)
    except ValidationError as error:
        forget_parameters()
        return Failed(message=in_chinese(error, form))
    officer = until_signed(given)
    try:
        case_no = work(given, f"intake:{flow_run.id}", officer.staff_no)
    except RefusalError as why:
        forget_parameters()
        return Failed(message=str(why))
    forget_parameters(case_no=case_no)
    nudge(case_no)
    doubtful = "".join(said for _, said in hints(case_no))
    return Completed(message=f"已登记为{case_no}" + (f"。请核对：{doubtful}" if doubtful else ""))


def part_of(given: BaseModel, form: type[F]) -> F:
    """The fields of a start form that make up ``form``."""
    return form.model_validate(given.model_dump(include=set(form.model_fields)))
