"""Waiting for an answer, which is given at the desk; and the start forms in the Prefect UI, shown again when what they
say breaks a rule."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from itertools import count
from typing import Any, TypeVar, cast
from uuid import uuid4

from prefect.exceptions import Pause
from prefect.flow_runs import suspend_flow_run
from prefect.input import RunInput
from prefect.input.actions import read_flow_run_input
from prefect.input.run_input import keyset_from_base_key
from prefect.runtime import flow_run
from pydantic import BaseModel, Field, GetJsonSchemaHandler, ValidationError, create_model
from pydantic.fields import FieldInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticUndefined

from models.organisations import Officer
from runtime.refusals import RefusalError
from runtime.settings import settings
from runtime.words import Words
from tasks.case.answers import answer_or_wait, settled
from tasks.case.notices import kick
from tasks.case.questions import Question
from tasks.desk.runs import forget_code, nudge, show_case
from tasks.office.signatures import DESK, SignatureError, settle, sign, submission_of

T = TypeVar("T")


class Shown(BaseModel):
    """A form as staff see it: of what is written in the code, only titles and descriptions that were given on purpose.

    Docstrings are for whoever reads the code, but pydantic would make them the description of every choice.
    """

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = handler(core_schema)
        form = handler.resolve_ref_schema(schema)
        form.pop("description", None)
        for shown in form.get("properties", {}).values():
            for part in (shown, shown.get("items", {}), *shown.get("anyOf", ()), *shown.get("allOf", ())):
                if "$ref" in part:
                    handler.resolve_ref_schema({"$ref": part["$ref"]}).pop("description", None)
        return schema


class ShownInput(Shown, RunInput):
    """A form that a run is suspended on. Prefect writes it when the run is suspended already, and deletes what was
    written before; where a leg dies in between, recovery wakes the run (``tasks.desk.runs.end_unsigned``), which asks
    anew."""


class SignOff(Shown):
    """Who answers (Article 14): the Prefect UI itself knows only one shared password."""

    staff_no: Words = Field(title="工号", min_length=1, max_length=20)
    code: Words = Field("", title="一次性验证码", description="验证器上当前显示的6位数字", max_length=10)


S = TypeVar("S", bound=SignOff)


def ask(case_no: str, question: type[Question], turn: int = 1) -> dict[str, Any]:
    """The recorded answer, whoever gave it; until there is one the run is suspended, which whoever records it ends.

    Nothing is typed here: the desk's page of the case asks. Resumed by hand, a run merely looks again. Raises
    ``CaseClosedError`` when the case ended meanwhile.
    """
    answer = answer_or_wait(case_no, question, turn)
    if answer is not None:
        return answer
    show_case(case_no)
    kick()
    try:
        # Every suspension needs a key of its own: one that was suspended on is spent.
        suspend_flow_run(key=uuid4().hex, timeout=None)
    except Pause:
        # Whoever has answered meanwhile found this run awake and left the answer to it. Nobody would wake it before
        # recovery.
        if settled(case_no, question, turn):
            nudge(case_no)
        raise
    raise AssertionError("a suspended run goes on from its first line")


def until_accepted(form: S, work: Callable[[S, Officer], T]) -> T:
    """Do ``work`` with what a start form says and the officer who signed it; while it is refused, suspend on the same
    form with the reason.

    What was corrected is not tried again as it was: in the meantime it might be accepted.
    """
    key = "start"
    for attempt in count(1):
        again = f"again-{attempt}"
        typed = _typed_in(again)
        if typed is not None:
            # The server has checked the form's own rules; what it lets through anyway is asked for again.
            with suppress(ValidationError):
                form, key = type(form).model_validate(typed), again
            continue
        submission = submission_of(f"{flow_run.id}:{key}", form.model_dump())
        try:
            done = work(form, sign(form.staff_no, form.code, DESK, submission))
        except RefusalError as why:
            settle(submission)
            forget_code()
            _suspend(_form(type(form), "请更正后重新提交", str(why), form.model_dump(exclude={"code"})), again)
        else:
            settle(submission)
            return done
    raise AssertionError("count() has no end")


def until_signed(form: SignOff) -> Officer:
    """The officer who signs a start form; while the signature does not hold, suspend on the signature alone, with the
    reason. What else was typed in stays in the run's parameters meanwhile."""
    signature, key = form, "start"
    for attempt in count(1):
        again = f"signature-{attempt}"
        typed = _typed_in(again)
        if typed is not None:
            with suppress(ValidationError):
                signature, key = SignOff.model_validate(typed), again
            continue
        said = form.model_dump() | {"staff_no": signature.staff_no}
        submission = submission_of(f"{flow_run.id}:{key}", said)
        try:
            return sign(signature.staff_no, signature.code, DESK, submission)
        except SignatureError as why:
            forget_code()
            head = "请重新签名，签名后才登记。其他内容已经保留，不需要重填。"
            _suspend(_form(SignOff, head, str(why), {"staff_no": signature.staff_no}), again)
    raise AssertionError("count() has no end")


def _typed_in(key: str) -> dict[str, Any] | None:
    return cast("dict[str, Any] | None", read_flow_run_input(keyset_from_base_key(f"suspended-{key}")["response"]))


def _suspend(form: type[ShownInput], key: str) -> None:
    """End this leg; returns only when this key was suspended on before and the run was woken without an input."""
    try:
        suspend_flow_run(wait_for_input=form, key=key, timeout=None)
    except ValidationError:
        return


def _form(
    asked: type[BaseModel],
    head: str,
    refusal: str | None,
    prefilled: Mapping[str, Any] | None = None,
) -> type[ShownInput]:
    """A Prefect form with the fields of ``asked`` and the officer's signature, its head in Markdown.
    ``prefilled`` are suggestions.

    Fields are copied with their titles and limits: ``RunInput.with_initial_data`` would drop those of every prefilled
    field, and the server would no longer check them.
    """
    fields: dict[str, Any] = {}
    for name, field in {**asked.model_fields, **SignOff.model_fields}.items():
        shown = FieldInfo.merge_field_infos(field)
        if prefilled and name in prefilled:
            shown.default = prefilled[name]
        if name == "code" and settings().one_time_codes:
            # Said before the form is sent, not by a form that asks again.
            shown.default = PydanticUndefined
        fields[name] = (field.annotation, shown)
    form = create_model(asked.__name__, __base__=ShownInput, **fields)
    return form.with_initial_data(description=f"**未能采纳：{refusal}**\n\n{head}" if refusal else head)
