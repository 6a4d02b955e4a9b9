"""Who hands in for whom (Article 12): a using department is the one whose key signs, never what somebody types."""

from dataclasses import replace

from models.organisations import ApplicationKind
from regulation.objections import ObjectorKind
from runtime.refusals import InputError
from tasks.objections.applications import ObjectionApplication
from tasks.objections.batch_files import BatchTable
from tasks.office.applications import Caller


def check_sender(application: ObjectionApplication, caller: Caller) -> None:
    """Raise ``InputError`` for an objection of another department than that which hands it in. A bureau passes on what
    came to it."""
    if why := _refusal(application, caller):
        raise InputError.of("objector_name", why)


def of_sender(table: BatchTable, caller: Caller) -> BatchTable:
    """A table whose rows that are another department's are handed back."""
    refused = {row: why for row, each in table.objections if (why := _refusal(each, caller))}
    kept = tuple((row, each) for row, each in table.objections if row not in refused)
    return replace(table, objections=kept, wrong=tuple(sorted([*table.wrong, *refused.items()])))


def _refusal(application: ObjectionApplication, caller: Caller) -> str:
    if application.objector_kind is not ObjectorKind.DEPARTMENT or caller.kind is not ApplicationKind.DEPARTMENT:
        return ""
    if application.objector_name == caller.speaks_for:
        return ""
    return f"申请人类别为“使用部门”的，申请人就是签名报送的部门，请填写“{caller.speaks_for}”。"
