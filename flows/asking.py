"""Waiting for an answer in forms of the Prefect UI, with the masked case at their head, asked again when an answer
breaks a rule."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from itertools import count
from typing import Any, TypeVar, cast
from uuid import UUID

from httpx import codes
from prefect.exceptions import ObjectNotFound, Pause, PrefectHTTPStatusError
from prefect.flow_runs import suspend_flow_run
from prefect.input import RunInput
from prefect.input.actions import delete_flow_run_input, read_flow_run_input
from prefect.input.run_input import Keyset, keyset_from_base_key
from prefect.runtime import flow_run
from pydantic import BaseModel, Field, GetJsonSchemaHandler, ValidationError, create_model
from pydantic.fields import FieldInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticUndefined

from models.organisations import Officer
from runtime.refusals import RefusalError
from runtime.settings import settings
from runtime.words import Words
from tasks.case.answers import answer_or_wait, last_refusal, offered, settled, take_officer_answer
from tasks.case.notices import kick
from tasks.case.questions import Question
from tasks.desk.runs import forget_code, nudge, show_case
from tasks.desk.sheets import full_sheet_link
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
    """A form that a run is suspended on; written before the run is suspended, not after it.

    Prefect does it the other way round. A leg that dies in between leaves a run that waits for ever, on a form that is
    not there.
    """

    @classmethod
    def save(cls, keyset: Keyset, flow_run_id: UUID | None = None) -> None:
        """Nothing: it is written already."""

    @classmethod
    def write(cls, keyset: Keyset) -> None:
        """Write the form for the present run, instead of what a leg that died has left of it."""
        try:
            super().save(keyset)
        except PrefectHTTPStatusError as error:
            if error.response.status_code != codes.CONFLICT:
                raise
            for part in (keyset["schema"], keyset["description"]):
                with suppress(ObjectNotFound):
                    delete_flow_run_input(part)
            super().save(keyset)


class SignOff(Shown):
    """Who answers (Article 14): the Prefect UI itself knows only one shared password."""

    staff_no: Words = Field(title="工号", min_length=1, max_length=20)
    code: Words = Field("", title="一次性验证码", description="验证器上当前显示的6位数字", max_length=10)


S = TypeVar("S", bound=SignOff)


def ask(
    case_no: str, question: type[Question], turn: int = 1, prefilled: dict[str, Any] | None = None
) -> dict[str, Any]:
    """The recorded answer, whoever gave it; until there is one, the run is suspended on a form, its fields
    ``prefilled`` with what is suggested.

    A refused answer suspends the run again with the reason at the head of the form; it never fails the case. Raises
    ``CaseClosedError`` when the case ended meanwhile.
    """
    # Every suspension needs a key of its own: one that was suspended on is spent, even when the run was woken
    # without an answer. The counting is the same in every leg, so a leg finds the input of the one before.
    for attempt in count(1):
        answer = answer_or_wait(case_no, question, turn)
        if answer is not None:
            return answer
        key = f"{question.question}-{turn}-{attempt}"
        typed = _typed_in(key)
        if typed is None:
            sheet = show_case(case_no)
            kick()
            refusal = last_refusal(case_no, question.question, turn)
            link = f"[签名后查看完整内容和附件]({full_sheet_link(case_no)})"
            head = f"{question.asks}\n\n{sheet.table()}\n\n{link}"
            known = offered(case_no, question)
            suggested = {"staff_no": known.staff_no} | (prefilled or {})
            form = _form(question, head, refusal, suggested, known.choices)
            # Whoever has answered meanwhile found this run awake and left the answer to it.
            if answer_or_wait(case_no, question, turn) is None:
                try:
                    _suspend(form, key)
                except Pause:
                    # Whoever has answered since then found this run awake still. Nobody would wake it before recovery.
                    if settled(case_no, question, turn):
                        nudge(case_no)
                    raise
            continue
        given = {name: value for name, value in typed.items() if name in question.model_fields}
        signed = str(typed.get("staff_no", "")), str(typed.get("code", ""))
        take_officer_answer(case_no, question, turn, f"{flow_run.id}:{key}", given, *signed)
        _forget(key)
    raise AssertionError("count() has no end")


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


def _forget(key: str) -> None:
    """Delete what was typed from Prefect's database: it is recorded in ours, encrypted."""
    delete_flow_run_input(keyset_from_base_key(f"suspended-{key}")["response"])


def _suspend(form: type[ShownInput], key: str) -> None:
    """End this leg; returns only when this key was suspended on before and the run was woken without an input."""
    form.write(keyset_from_base_key(f"suspended-{key}"))
    try:
        suspend_flow_run(wait_for_input=form, key=key, timeout=None)
    except ValidationError:
        return


def _select(choices: Sequence[str]) -> Callable[[dict[str, Any]], None]:
    """Makes a field of a form a list to select from; the server takes nothing else. A default that is no choice cannot
    be shown: left out, the field is what it is without a form."""

    def shown_as(schema: dict[str, Any]) -> None:
        schema.pop("$ref", None)
        schema |= {"type": "string", "enum": list(choices)}
        if schema.get("default") not in choices:
            schema.pop("default", None)

    return shown_as


def _form(
    asked: type[BaseModel],
    head: str,
    refusal: str | None,
    prefilled: Mapping[str, Any] | None = None,
    choices: Mapping[str, Sequence[str]] | None = None,
) -> type[ShownInput]:
    """A Prefect form with the fields of ``asked`` and the officer's signature, its head in Markdown.
    ``prefilled`` are suggestions; a field with ``choices`` is a list to select from.

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
        if choices and name in choices:
            shown.json_schema_extra = _select(choices[name])
        fields[name] = (field.annotation, shown)
    form = create_model(asked.__name__, __base__=ShownInput, **fields)
    form._description = f"**未能采纳：{refusal}**\n\n{head}" if refusal else head
    return form
