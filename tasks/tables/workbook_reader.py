"""Reads the first sheet of a workbook from standard input and writes it to standard output as JSON, a line a row.

A program of its own, run by ``tasks.tables.files`` with limits on memory and time: a sheet with one cell in its last
corner is billions of cells, and what reads it is native code. Its argument is the rows that it may have.

The first line says what the rows themselves do not: where the first formula stands (XLSX), and which cells are merged.
"""

import datetime
import io
import json
import re
import sys
import zipfile

from python_calamine import CalamineError, CalamineWorkbook, PasswordError

UNREADABLE, TOO_LONG, LOCKED, MACROS = 3, 4, 5, 6
"""Exit codes: no workbook that can be read; more rows than were asked for; one with a password; one with macros."""
MACROS_OF_XLS = "_VBA_PROJECT".encode("utf-16-le")
"""The folder of an XLS that holds its macros."""
ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")
"""The stream of an OLE file that holds an XLSX with a password."""
_LOCKED_XLS = re.compile(rb"\x09\x08\x10\x00.{16}(?:\x86\x00\x00\x00)?\x2f\x00", re.DOTALL)
"""How the book of an XLS with a password begins: BOF, perhaps WRITEPROTECT, then FILEPASS ([MS-XLS] 2.1.7.20.3)."""
PIECE = 1 << 20
OVERLAP = 4096

# The whole tag first and its attributes within it, so that each byte is looked at once or twice.
_SHEET = re.compile(rb"<(?:\w+:)?sheet\s([^<>]*)>")
_LINK = re.compile(rb"<Relationship\s([^<>]*)>")
_FORMULA = re.compile(rb"<(?:\w+:)?c\s([^<>]*)>\s*<(?:\w+:)?f[\s/>]")
_ATTRIBUTE = re.compile(rb"\b(id|Id|Target|r)=\"([^\"]+)\"")


def as_json(value: object) -> object:
    """A cell as JSON has it; dates and times are a list of what they are and how they are written."""
    match value:
        case datetime.datetime() | datetime.date():
            return ["date", value.isoformat()]
        case datetime.time():
            return ["time", value.isoformat()]
        case datetime.timedelta():
            return ["time", value.total_seconds()]
    return value if value != "" else None


def has_macros(content: bytes) -> bool:
    """Whether a workbook brings programs along: they are never run here, but whoever opens what comes back would."""
    if not content.startswith(b"PK"):
        return MACROS_OF_XLS in content
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        return any(name.casefold().endswith("vbaproject.bin") for name in package.namelist())


def first_formula(content: bytes) -> str | None:
    """Where the first formula of an XLSX's first sheet stands, such as ``B2``; ``None`` for none and other formats."""
    if not content.startswith(b"PK"):
        return None
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        book, links = package.read("xl/workbook.xml"), package.read("xl/_rels/workbook.xml.rels")
        first = _SHEET.search(book)
        there = {_attribute(link[1], b"Id"): _attribute(link[1], b"Target") for link in _LINK.finditer(links)}
        target = there.get(_attribute(first[1], b"id")) if first else None
        if not target:
            return None
        path = target.decode()
        with package.open(path.removeprefix("/") if path.startswith("/") else f"xl/{path}") as sheet:
            rest = b""
            while piece := sheet.read(PIECE):
                for found in _FORMULA.finditer(rest + piece):
                    if place := _attribute(found[1], b"r"):
                        return place.decode()
                rest = piece[-OVERLAP:]
    return None


def _attribute(tag: bytes, name: bytes) -> bytes | None:
    """An attribute of a tag, without regard to its namespace."""
    return next((found[2] for found in _ATTRIBUTE.finditer(tag) if found[1] == name), None)


def main() -> int:
    """0 and the rows, at most as many as the argument says, or an exit code that says why not."""
    rows = int(sys.argv[1])
    content = sys.stdin.buffer.read()
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(content))
        sheet = workbook.get_sheet_by_index(0)
        length = sheet.end[0] + 1 if sheet.end else 0
        if length > rows:
            return TOO_LONG
        if has_macros(content):
            return MACROS
        merged = sheet.merged_cell_ranges or []
        about = {"rows": length, "formula": first_formula(content), "merged": merged}
        sys.stdout.write(json.dumps(about) + "\n")
        # Rows come with the empty ones above them, but without the empty columns before them.
        left = [None] * (sheet.start[1] if sheet.start else 0)
        for row in sheet.iter_rows():
            sys.stdout.write(json.dumps(left + [as_json(value) for value in row]) + "\n")
    except PasswordError:
        return LOCKED
    except (CalamineError, OSError, ValueError, IndexError, KeyError, zipfile.BadZipFile):
        return LOCKED if ENCRYPTED_PACKAGE in content or _LOCKED_XLS.search(content) else UNREADABLE
    return 0
