"""A case's letter as a draft: a PDF that staff number, date, have sealed, and post."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pylopdf_fonts_zh_cn
import typst

from notifications.rendering import SENDER_NAME, whom_to_ask
from runtime import clock
from tasks.case.kind import Letter

TEMPLATE = Path(__file__).with_name("letter.typ").read_bytes()


def pdf_of(letter: Letter) -> bytes:
    """The draft. Its number and its day are left open."""
    frame = {"sender": SENDER_NAME, "ask": whom_to_ask(), "year": clock.today().year}
    return pdf_from(TEMPLATE, asdict(letter) | frame)


def pdf_from(template: bytes, said: Mapping[str, Any]) -> bytes:
    """A letter: what is ``said`` in a template of Typst's, which gets it as data."""
    folders = [pylopdf_fonts_zh_cn.sans_path().parent, pylopdf_fonts_zh_cn.serif_path().parent]
    pdf = typst.compile(
        template,
        font_paths=typst.Fonts(include_system_fonts=False, font_paths=folders),
        ignore_system_fonts=True,
        format="pdf",
        timestamp=0,
        sys_inputs={"letter": json.dumps(said, ensure_ascii=False)},
    )
    if not isinstance(pdf, bytes):
        raise TypeError("typst gives one PDF as bytes")
    return pdf
