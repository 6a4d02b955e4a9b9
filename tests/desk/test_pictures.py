"""Pages of PDFs as pictures: what people hand in is seen in place, and whatever it is made to do harms nobody."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import typst

from tasks.desk import pictures
from tasks.desk.pictures import NotShownError, count_pages, known_pages, page_of
from tasks.tables.limited_processes import limited_process

ROOT = Path(__file__).parents[2]
SHUT_IN = "from tasks.tables.limited_processes import shut_in; shut_in(); import os, socket, sys; "


def pdf(pages: int = 2, **page: str) -> bytes:
    size = page.get("size", 'paper: "a4"')
    text = "\n\n#pagebreak()\n\n".join(["Page"] * pages)
    made = typst.compile(f"#set page({size})\n{text}".encode(), format="pdf")
    assert isinstance(made, bytes)
    return made


def size_of(png: bytes) -> tuple[int, int]:
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    return int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")


def huge_page(points: int) -> bytes:
    """A PDF by hand whose page is that wide and high."""
    box = f"[0 0 {points} {points}]".encode()
    return (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox" + box + b">>endobj\n"
        b"trailer<</Root 1 0 R>>\n%%EOF\n"
    )


SELF_HELD = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[2 0 R]/Count 1>>endobj"
    b" trailer<</Root 1 0 R>>"
)


def test_each_page_is_a_picture_and_there_are_as_many_as_it_has() -> None:
    made = pdf(3)
    count_pages("three", lambda: made)
    assert known_pages("three") == 3
    width, height = size_of(page_of(made, 3))
    assert (width, height) == pytest.approx((1240, 1754), abs=2)
    with pytest.raises(NotShownError):
        page_of(made, 4)


def test_a_page_has_no_more_pixels_than_it_may_however_large_it_says_it_is() -> None:
    for made in (huge_page(14_400), huge_page(2_000_000), pdf(1, size="width: 500cm, height: 1cm, margin: 1mm")):
        try:
            width, height = size_of(page_of(made, 1))
        except NotShownError:
            continue
        assert width * height <= pictures.PIXELS * 1.01


@pytest.mark.parametrize(
    "content",
    [
        b"%PDF-1.7\n",
        b"%PDF-1.7 " + b"\xff" * 5000,
        pdf()[:400],
        SELF_HELD,
        b"\x00" * 100_000,
    ],
    ids=["empty", "rubbish", "cut off", "a tree that holds itself", "zeros"],
)
def test_what_is_no_pdf_is_said_and_counts_no_page(content: bytes) -> None:
    with pytest.raises(NotShownError, match="请下载后查看"):
        page_of(content, 1)
    count_pages(f"not shown {content[:20]!r}", lambda: content)
    assert known_pages(f"not shown {content[:20]!r}") == 0


def test_one_that_computes_for_ever_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "PROGRAM", "while True: pass")
    monkeypatch.setattr(pictures, "SECONDS", 1)
    begun = time.monotonic()
    with pytest.raises(NotShownError):
        page_of(b"", 1)
    assert time.monotonic() - begun < 10


def test_one_that_waits_for_ever_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "PROGRAM", "import time; time.sleep(600)")
    monkeypatch.setattr(pictures, "SECONDS", 1)
    with pytest.raises(NotShownError):
        page_of(b"", 1)


def test_one_that_writes_for_ever_fills_nobodys_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "PROGRAM", "import sys\nwhile True: sys.stdout.buffer.write(b'x' * 65536)")
    with pytest.raises(NotShownError):
        page_of(b"", 1)


def test_one_that_takes_all_memory_is_refused_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "PROGRAM", "x = bytearray(4 << 30); print(1)")
    with pytest.raises(NotShownError):
        page_of(b"", 1)


@pytest.mark.parametrize(
    "attempt",
    [
        "socket.socket()",
        "socket.create_connection(('127.0.0.1', 80))",
        "os.fork()",
        "os.execv('/bin/true', ['true'])",
        "os.posix_spawn('/bin/true', ['true'], {})",
        "open('written', 'w')",
        "open('there', 'a')",
        "os.truncate('there', 0)",
        "os.unlink('there')",
        "os.rename('there', 'elsewhere')",
        "os.mkdir('made')",
        "os.kill(os.getppid(), 0)",
        "os.chmod('there', 0o777)",
    ],
)
def test_who_is_shut_in_reaches_nobody_and_changes_nothing(attempt: str, tmp_path: Path) -> None:
    (tmp_path / "there").write_text("as it was")
    program = f"{SHUT_IN}\ntry:\n    {attempt}\nexcept OSError as why: print(type(why).__name__)\nelse: print('done')"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "PermissionError", done.stderr
    assert [each.name for each in tmp_path.iterdir()] == ["there"]
    assert (tmp_path / "there").read_text() == "as it was"


def test_a_process_with_limits_knows_none_of_our_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("EZT_DATA_KEYS", "secret-of-ours")
    with (tmp_path / "file").open("w+b") as file:
        program = "import os; print(sorted(name for name in os.environ if name.startswith('EZT')))"
        with limited_process(program, file, 1 << 30, 5) as process:
            assert process.communicate(timeout=20)[0].strip() == "[]"


def test_two_are_drawn_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    at_once, most = 0, 0
    entered = pictures.limited_process
    lock = threading.Lock()

    def counted(*given: object) -> object:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        time.sleep(0.2)
        with lock:
            at_once -= 1
        return entered(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(pictures, "limited_process", counted)
    made = pdf(1)
    threads = [threading.Thread(target=page_of, args=(made, 1)) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most <= 2
