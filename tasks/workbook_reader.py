"""Reads the first sheet of a workbook from standard input and writes its rows to standard output as JSON.

A program of its own, run by ``tasks.use_list_files`` with limits on memory and time: a small file can unfold to
anything, a sheet with one cell in its last corner is billions of cells, and what reads it is native code, whose end
would be the end of the process that called it.
"""

import datetime
import io
import json
import resource
import sys

from python_calamine import CalamineError, CalamineWorkbook

MEMORY = 1024 * 1024 * 1024
CPU_SECONDS = 20
UNREADABLE, TOO_LONG = 3, 4
"""Exit codes: no workbook that can be read; more rows than were asked for."""
DIGITS_OF_A_FLOAT = 15
"""A number of more digits has lost its last ones by the time it is here."""


def text(value: object) -> str:
    """A cell as the text it stands for; a number that has lost digits in the notation that shows it."""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, datetime.datetime):
        return str(value.date())
    if isinstance(value, float):
        if abs(value) >= 10**DIGITS_OF_A_FLOAT:
            return f"{value:.5E}"
        return str(int(value)) if value.is_integer() else str(value)
    return str(value)


def main() -> int:
    """0 and the rows, at most as many as the argument says, or an exit code that says why not."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(sys.stdin.buffer.read()))
        sheet = workbook.get_sheet_by_index(0)
        if sheet.total_height > int(sys.argv[1]):
            return TOO_LONG
        rows = [[text(value) for value in row] for row in sheet.to_python(skip_empty_area=False)]
    except (CalamineError, OSError, ValueError, IndexError):
        return UNREADABLE
    json.dump(rows, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
