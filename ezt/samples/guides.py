"""Sample service guides: one for each item of the sample's use list, with one fault of each kind that a comparison
finds, and a paper form that is no certificate."""

from datetime import datetime

from ezt.samples.catalogue import KINDS, USE_LIST, Use
from models.service_guides import ServiceGuide
from regulation.service_guides import DemandedForm, Material

BROUGHT_BY = "sample-data"
_CODES = {kind.name: kind.code for kind in KINDS}
_FAULTY = {
    ("330603-SCJG-001", "身份证"): (DemandedForm.COPY, ("窗口受理",), ""),
    ("330603-ZRZY-001", "结婚证"): (DemandedForm.PAPER, (), "窗口收件规定"),
    ("330603-JT-001", "驾驶证"): (DemandedForm.ELECTRONIC, (), ""),
}
"""Materials whose form, scenarios or basis is not what the measures ask for."""
_FURTHER = {
    "330603-SCJG-002": Material("企业变更登记申请书", None, DemandedForm.PAPER, True, "", ()),
    "330603-WJ-001": Material("营业执照", _CODES["营业执照"], DemandedForm.ELECTRONIC, True, "", ()),
}
"""Materials beside what the use list has for the item: a form to be filled in, and a certificate that is not on it."""


def service_guides(codes: dict[str, str], at: datetime) -> list[ServiceGuide]:
    """The first version of each guide, of the departments whose credit codes are given by name."""
    return [
        ServiceGuide(
            department_uscc=codes[item.department],
            item_code=item.code,
            version=1,
            item_name=item.name,
            materials=(
                *(_material(item.code, use) for use in item.uses),
                *([_FURTHER[item.code]] if item.code in _FURTHER else []),
            ),
            brought_by=BROUGHT_BY,
            at=at,
        )
        for item in USE_LIST
        if item.department in codes
    ]


def _material(item_code: str, use: Use) -> Material:
    right = (DemandedForm.ELECTRONIC, (use.scenario,), "") if use.holder_alone else (DemandedForm.FETCHED, (), "")
    form, presented_in, basis = _FAULTY.get((item_code, use.type_name), right)
    return Material(use.type_name, _CODES[use.type_name], form, True, basis, presented_in)
