"""Draws a page of a PDF that a stranger sent: from standard input, to standard output, as PNG.

A program of its own, run by ``tasks.desk.pictures`` with limits on memory and time and shut in before it looks at a
byte: what reads PDFs is native code. Its arguments are the page, counted from 1, and how many pixels it may have; page
0 asks how many pages there are.
"""

import struct
import sys
import zlib

import pypdfium2

from tasks.tables.limited_processes import shut_in

UNREADABLE, LOCKED = 3, 4
"""Exit codes: no PDF that can be read, or not this page of it; one with a password."""
NEEDS_PASSWORD = 4
"""FPDF_ERR_PASSWORD."""
LONGEST = 20_000
"""Pixels of a picture's longer side."""
DOTS = 150
"""Dots an inch, of a page of ordinary size; of points there are 72."""


def png(width: int, height: int, stride: int, pixels: bytes) -> bytes:
    """Rows of red, green and blue as a PNG."""
    rows = b"".join(b"\0" + pixels[row * stride : row * stride + 3 * width] for row in range(height))
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows, 4)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )


def main() -> int:
    """0 and the picture, or the number of pages, or an exit code that says why not."""
    number, most = map(int, sys.argv[1:])
    shut_in()
    content = sys.stdin.buffer.read()
    try:
        document = pypdfium2.PdfDocument(content)
        # What says that it has pages need not have them.
        page = document[max(0, number - 1)]
        if number == 0:
            sys.stdout.write(str(len(document)))
            return 0
        width, height = (max(1.0, side) for side in page.get_size())
        scale = min(DOTS / 72, (most / (width * height)) ** 0.5, LONGEST / max(width, height))
        drawn = page.render(scale=scale, rev_byteorder=True)
    except pypdfium2.PdfiumError as error:
        return LOCKED if getattr(error, "err_code", None) == NEEDS_PASSWORD else UNREADABLE
    except (IndexError, ValueError, MemoryError):
        return UNREADABLE
    if drawn.n_channels != 3:
        return UNREADABLE
    sys.stdout.buffer.write(png(drawn.width, drawn.height, drawn.stride, bytes(drawn.buffer)))
    return 0
