"""Article 11, the archived copy as a document: what stands on it, that it is PDF/A, that nothing else passes for it."""

import asyncio
import base64
import io
import re
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st
from pyhanko.pdf_utils.generic import ArrayObject, DictionaryObject, IndirectObject, pdf_string
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.validation import SignatureCoverageLevel, async_validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from runtime.clock import SHANGHAI
from runtime.refusals import RefusalError
from runtime.signing_authority import signing_authority
from tasks.certificates import copy_documents
from tasks.certificates.copy_documents import CopySheet, CopyVerdict, draw, examine, seal
from tests.conftest import ROOT, forget_settings

AT = datetime.now(UTC).replace(microsecond=0)
"""Now, because the trial authority is made now and signs nothing from before."""
SHEET = CopySheet(
    copy_no="FB-2026-000001",
    type_name="食品经营许可证",
    identifier="1.2.156.3005.2.11100000000013338W009.11330105002500287C.2025052201.002.0",
    issuing_authority="绍兴市柯桥区市场监督管理局",
    holder="绍兴柯桥镕喆餐饮有限公司",
    lines=(("法定代表人", "阿依古丽·䶮"), ("经营场所", "浙江省绍兴市柯桥区金柯桥大道1418号"), ("备注", " ")),
    state="有效",
    department="柯桥区市场监督管理局",
    item="食品经营许可",
    business_no="KQ-2026-000873",
    purpose="核对经营项目",
    made_at=AT,
    check_url="https://kq.example.cn/copies/Zk3x9QwErTyUiOp",
)
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@pytest.fixture
def sealed(home: Path) -> bytes:
    return seal(draw(SHEET), SHEET.copy_no, AT)


def objects(pdf: bytes) -> Iterator[Any]:
    """Every object that a PDF's catalogue leads to."""
    waiting, seen = [PdfFileReader(io.BytesIO(pdf)).root], set()
    while waiting:
        found = waiting.pop()
        if isinstance(found, IndirectObject):
            if found.reference in seen:
                continue
            seen.add(found.reference)
            found = found.get_object()
        yield found
        if isinstance(found, DictionaryObject):
            waiting.extend(found.raw_get(key) for key in found)
        elif isinstance(found, ArrayObject):
            waiting.extend(found.raw_get(place) for place in range(len(found)))


def letters(pdf: bytes) -> set[str]:
    """Every character that a PDF shows, by its fonts' maps to Unicode."""
    maps = [each["/ToUnicode"].data for each in objects(pdf) if isinstance(each, dict) and "/ToUnicode" in each]
    shown = chain.from_iterable(re.findall(rb"^<[0-9A-F]+> <([0-9A-F]+)>$", each, re.MULTILINE) for each in maps)
    return set("".join(bytes.fromhex(code.decode()).decode("utf-16-be") for code in shown))


def certificate_files(
    folder: Path, first: datetime = AT - timedelta(days=30), days: int = 365, password: str = "", bits: int = 2048
) -> tuple[Path, Path]:
    """A signer's key file and chain file, issued by the same authority as everybody's."""
    folder.mkdir()
    key = rsa.generate_private_key(65537, bits)
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "某公共颁发机构")])
    parts = []
    for subject, public, ca in (("签名人", key.public_key(), False), ("某公共颁发机构", ISSUER.public_key(), True)):
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
        draft = x509.CertificateBuilder(issuer, name, public, x509.random_serial_number())
        draft = draft.not_valid_before(first).not_valid_after(first + timedelta(days=days))
        draft = draft.add_extension(x509.BasicConstraints(ca, None), critical=True)
        parts.append(draft.sign(ISSUER, SHA256()).public_bytes(Encoding.PEM))
    secrecy = BestAvailableEncryption(password.encode()) if password else NoEncryption()
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, secrecy))
    (folder / "chain.pem").write_bytes(b"".join(parts))
    return folder / "key.pem", folder / "chain.pem"


ISSUER = rsa.generate_private_key(65537, 2048)


def use(monkeypatch: pytest.MonkeyPatch, **values: object) -> None:
    """Set settings of the archived copy; those not named are empty."""
    for name in ("key_file", "key_password", "chain_file", "trust_file", "font_folder"):
        monkeypatch.setenv(f"EZT_COPY_{name.upper()}", str(values.get(name, "")))
    forget_settings()


def test_a_copy_shows_what_it_was_given(home: Path) -> None:
    named = (SHEET.type_name, SHEET.identifier, SHEET.issuing_authority, SHEET.holder, SHEET.state)
    said = "".join((*chain(*SHEET.lines[:2]), *named))
    shown = letters(draw(SHEET))
    assert set(said + SHEET.business_no + SHEET.purpose + "仅供办理使用打印件不作为电子证照") - {" "} <= shown


def test_the_time_of_a_copy_is_that_of_shanghai_and_stands_in_its_watermark(home: Path) -> None:
    late = replace(SHEET, made_at=datetime(2026, 11, 25, 16, 5, tzinfo=UTC))
    written = copy_documents._written(late, copy_documents._fonts(""))
    assert written["watermark"] == "仅供柯桥区市场监督管理局办理食品经营许可使用 2026-11-26"
    assert ("出具时间", "2026年11月26日 00:05（北京时间）") in written["purpose"]


def test_a_use_without_a_service_item_is_named_by_its_purpose(home: Path) -> None:
    written = copy_documents._written(replace(SHEET, item=""), copy_documents._fonts(""))
    assert written["watermark"] == f"仅供柯桥区市场监督管理局用于核对经营项目使用 {AT.astimezone(SHANGHAI):%Y-%m-%d}"
    assert "办理事项" not in dict(written["purpose"])


def test_a_character_that_no_font_has_is_said_by_its_code_point(home: Path) -> None:
    written = copy_documents._written(replace(SHEET, holder="𠮷\n祥\u200b·\ud800"), copy_documents._fonts(""))
    assert written["face"][0] == ("持证主体", "〓(U+20BB7) 祥·〓(U+D800)")
    assert any("统一码" in remark for remark in written["remarks"])
    assert "〓" in letters(draw(replace(SHEET, holder="𠮷")))


def test_what_looks_like_markup_is_only_text(home: Path) -> None:
    marked = '#panic("x") $1/0$ *b* _i_ <label> @ref \\ `raw` // /* [ { "'
    assert set(marked) - {" "} <= letters(draw(replace(SHEET, holder=marked, type_name=marked)))


@pytest.mark.parametrize("value", ["长" * 3000, "9" * 3000, "a b" * 1000])
def test_long_values_take_more_pages(home: Path, value: str) -> None:
    pdf = draw(replace(SHEET, lines=(("备注", value), (value[:50], "有"))))
    assert PdfFileReader(io.BytesIO(pdf)).root["/Pages"]["/Count"] >= 2


@effort(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(), st.text(min_size=1))
def test_any_text_at_all_can_be_drawn(home: Path, name: str, value: str) -> None:
    sheet = replace(SHEET, type_name=value, holder=name, department=value, lines=((name, value),))
    assert draw(sheet).startswith(b"%PDF-")


def test_the_same_sheet_gives_the_same_bytes(home: Path) -> None:
    assert draw(SHEET) == draw(SHEET)


def test_a_signed_copy_is_pdf_a(sealed: bytes) -> None:
    root = PdfFileReader(io.BytesIO(sealed)).root
    assert sealed.count(b"<?xpacket begin") == 1, "pyhanko would write it anew, and not as PDF/A has it"
    metadata = root["/Metadata"].data
    assert b"<pdfaid:part>2</pdfaid:part>" in metadata
    assert b"<pdfaid:conformance>B</pdfaid:conformance>" in metadata
    intent = root["/OutputIntents"][0]
    assert intent["/S"] == "/GTS_PDFA1"
    assert intent["/DestOutputProfile"].data[36:40] == b"acsp"
    assert set(root["/Perms"]) == {"/DocMDP"}


def test_a_signed_copy_embeds_its_fonts_and_does_nothing_by_itself(sealed: bytes) -> None:
    found = [each for each in objects(sealed) if isinstance(each, dict)]
    fonts = [each for each in found if each.get("/Type") == "/FontDescriptor"]
    assert fonts
    assert all("/FontFile3" in font for font in fonts)
    assert all(re.match(r"/[A-Z]{6}\+Noto", font["/FontName"]) for font in fonts)
    forbidden = {"/Encrypt", "/JS", "/JavaScript", "/AA", "/OpenAction", "/Launch", "/EmbeddedFile", "/DigestMethod"}
    assert not any(forbidden & {*each, str(each.get("/S"))} for each in found)
    for annotation in (each for each in found if each.get("/Subtype") == "/Widget"):
        assert annotation["/F"] & 0b100111 == 0b000100, "printed, neither hidden nor invisible"


def test_another_validator_finds_the_signature_good(sealed: bytes) -> None:
    trusted = [asn1_x509.Certificate.load(signing_authority().chain[-1].public_bytes(Encoding.DER))]
    context = ValidationContext(trust_roots=trusted, moment=AT + timedelta(hours=1))
    (signature,) = PdfFileReader(io.BytesIO(sealed)).embedded_signatures
    status = asyncio.run(async_validate_pdf_signature(signature, context))
    assert status.bottom_line
    assert status.coverage is SignatureCoverageLevel.ENTIRE_FILE
    assert status.modification_level is ModificationLevel.NONE
    assert status.signer_reported_dt == AT


def test_a_copy_is_intact_and_says_its_number(sealed: bytes) -> None:
    seen = examine(sealed)
    assert (seen.verdict, seen.copy_no) == (CopyVerdict.INTACT, "FB-2026-000001")


def test_a_flipped_bit_anywhere_is_found(sealed: bytes) -> None:
    start = sealed.index(b"/Contents <")
    places = [*range(0, start, start // 300), *range(start, len(sealed), 9)]
    for place in places:
        # The second one turns capitals of hexadecimal digits into small letters, which mean the same.
        for flip in (0x01, 0x20):
            changed = bytearray(sealed)
            changed[place] ^= flip
            assert examine(bytes(changed)).verdict is not CopyVerdict.INTACT, (place, flip)


def test_a_change_of_the_content_is_told_with_the_number_of_the_copy(sealed: bytes) -> None:
    changed = bytearray(sealed)
    changed[2000] ^= 1
    seen = examine(bytes(changed))
    assert (seen.verdict, seen.copy_no) == (CopyVerdict.TAMPERED, "FB-2026-000001")
    assert "改动" in seen.why


def test_bytes_before_and_after_are_found(sealed: bytes) -> None:
    for changed in (sealed + b"\n", sealed + sealed, b"\n" + sealed, sealed.replace(b"%%EOF", b"%%EOF\n", 1)):
        assert examine(changed).verdict is CopyVerdict.TAMPERED


def test_room_made_or_taken_around_the_signature_is_found(sealed: bytes) -> None:
    for changed in (
        sealed.replace(b"/Contents <", b"/Contents  <"),
        re.sub(rb"(/Contents <[0-9A-F]+)>", rb"\g<1>00>", sealed),
        re.sub(rb"(/Contents <[0-9A-F]+)..>", rb"\g<1>>", sealed),
    ):
        assert changed != sealed
        assert examine(changed).verdict is CopyVerdict.TAMPERED


def test_an_incremental_update_is_found(sealed: bytes) -> None:
    writer = IncrementalPdfFileWriter(io.BytesIO(sealed))
    writer.root["/Lang"] = pdf_string("en")
    writer.update_root()
    output = io.BytesIO()
    writer.write(output)
    assert output.getvalue().startswith(sealed)
    assert examine(output.getvalue()).verdict is CopyVerdict.TAMPERED


def test_a_truncated_copy_is_never_intact(sealed: bytes) -> None:
    for length in range(0, len(sealed), len(sealed) // 200):
        assert examine(sealed[:length]).verdict is not CopyVerdict.INTACT


def test_a_copy_whose_signature_was_removed_is_foreign(sealed: bytes) -> None:
    seen = examine(draw(SHEET))
    assert (seen.verdict, seen.copy_no) == (CopyVerdict.FOREIGN, None)
    assert "没有本系统的电子签名" in seen.why


def test_the_signature_of_another_copy_does_not_fit(sealed: bytes, home: Path) -> None:
    other = seal(draw(replace(SHEET, holder="别人")), "FB-2026-000002", AT)
    contents = re.compile(rb"/Contents <[0-9A-F]+>")
    mixed = contents.sub(contents.findall(other)[0], sealed)
    assert len(mixed) == len(sealed)
    assert examine(mixed).verdict is CopyVerdict.TAMPERED


def test_somebody_elses_signature_is_foreign_even_from_the_same_issuer(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, others = certificate_files(tmp_path / "ours"), certificate_files(tmp_path / "others")
    use(monkeypatch, key_file=others[0], chain_file=others[1])
    with monkeypatch.context() as theirs_alone:
        theirs_alone.setattr(copy_documents, "FIELD", "Signature1")
        theirs = seal(draw(SHEET), SHEET.copy_no, AT)
    use(monkeypatch, key_file=ours[0], chain_file=ours[1])
    seen = examine(theirs)
    assert (seen.verdict, seen.copy_no) == (CopyVerdict.FOREIGN, None)
    assert "不是本系统的签名" in seen.why


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (PIXEL, "图片"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(100), "图片"),
        (b"%PDF-1.7\n%%EOF\n", "扫描"),
        (b"", "不是本系统出具的PDF"),
        ("说明".encode(), "不是本系统出具的PDF"),
    ],
    ids=["PNG", "JPEG", "PDF", "nothing", "text"],
)
def test_what_is_no_copy_is_told_what_it_is(home: Path, content: bytes, why: str) -> None:
    seen = examine(content)
    assert (seen.verdict, seen.copy_no) == (CopyVerdict.FOREIGN, None)
    assert why in seen.why


@effort(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=3000), st.booleans())
def test_no_content_makes_it_raise(home: Path, content: bytes, as_signature: bool) -> None:
    if as_signature:
        content = b"%PDF-1.7 /Contents <" + content.hex().encode().ljust(1024, b"0") + b">"
    assert examine(content).verdict is CopyVerdict.FOREIGN


@pytest.mark.parametrize(
    "piece",
    [
        b"/Contents <" + b"A" * 200_000,
        b"/Contents <" + b"3080" * 30_000 + b">",
        b"/Contents <" + b"0" * 1024 + b">",
        b"/Contents" + b" " * 1000,
        b"1 0 obj<<>>endobj ",
        b"/ByteRange [0 1 2 3]",
    ],
    ids=["no end", "nested", "many", "blanks", "objects", "ranges"],
)
def test_the_effort_is_bounded_whatever_is_handed_in(home: Path, piece: bytes) -> None:
    content = b"%PDF-1.7\n" + piece * ((copy_documents.MOST_BYTES - 100) // len(piece))
    examine(b"")
    started = time.process_time()
    assert examine(content).verdict is CopyVerdict.FOREIGN
    assert examine(content * 2).verdict is CopyVerdict.FOREIGN
    assert time.process_time() - started < 5


def test_copies_stay_recognised_when_the_key_was_changed(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, older, new = (certificate_files(tmp_path / name) for name in ("old", "older", "new"))
    copies = []
    for key, certificates in (old, older):
        use(monkeypatch, key_file=key, chain_file=certificates)
        copies.append(seal(draw(SHEET), SHEET.copy_no, AT))
    use(monkeypatch, key_file=new[0], chain_file=new[1])
    assert {examine(copy).verdict for copy in copies} == {CopyVerdict.TAMPERED}, "they bear our mark, nobody knows them"
    trusted = tmp_path / "trusted.pem"
    trusted.write_bytes(old[1].read_bytes() + older[1].read_bytes())
    use(monkeypatch, key_file=new[0], chain_file=new[1], trust_file=trusted)
    assert {examine(copy).verdict for copy in copies} == {CopyVerdict.INTACT}


def test_copies_stay_recognised_when_the_chain_file_gained_or_lost_an_issuer(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, certificates = certificate_files(tmp_path / "ours")
    use(monkeypatch, key_file=key, chain_file=certificates)
    copy = seal(draw(SHEET), SHEET.copy_no, AT)
    alone = tmp_path / "alone.pem"
    end = b"-----END CERTIFICATE-----\n"
    alone.write_bytes(certificates.read_bytes().partition(end)[0] + end)
    use(monkeypatch, key_file=key, chain_file=alone, trust_file=certificates)
    assert examine(copy).verdict is CopyVerdict.INTACT
    assert examine(seal(draw(SHEET), SHEET.copy_no, AT)).verdict is CopyVerdict.INTACT


def test_several_threads_draw_and_sign_at_once(home: Path) -> None:
    sheets = [replace(SHEET, copy_no=f"FB-2026-{number:06}", holder=f"企业{number}") for number in range(24)]
    with ThreadPoolExecutor(8) as threads:
        copies = list(threads.map(lambda sheet: seal(draw(sheet), sheet.copy_no, AT), sheets))
    assert [examine(copy).copy_no for copy in copies] == [sheet.copy_no for sheet in sheets]
    assert {examine(copy).verdict for copy in copies} == {CopyVerdict.INTACT}


def test_a_certificate_that_has_run_out_signs_no_more_but_its_copies_hold(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, certificates = certificate_files(tmp_path / "short", first=AT - timedelta(days=2000), days=365)
    use(monkeypatch, key_file=key, chain_file=certificates)
    copy = seal(draw(SHEET), SHEET.copy_no, AT - timedelta(days=1900))
    assert examine(copy).verdict is CopyVerdict.INTACT
    with pytest.raises(RefusalError, match=r"有效期.*EZT_COPY_CHAIN_FILE"):
        seal(draw(SHEET), SHEET.copy_no, AT)


def test_settings_that_are_wrong_are_named(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key, certificates = certificate_files(tmp_path / "good", password="口令")
    other_key, other_certificates = certificate_files(tmp_path / "other")
    weak_key, weak_certificates = certificate_files(tmp_path / "weak", bits=1024)
    curve = tmp_path / "curve.pem"
    curve.write_bytes(
        ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    signer, issuer = re.findall(rb"-----BEGIN.+?END CERTIFICATE-----\n", certificates.read_bytes(), re.DOTALL)
    broken, reversed_, text = tmp_path / "broken.pem", tmp_path / "reversed.pem", tmp_path / "text.pem"
    broken.write_bytes(signer + other_certificates.read_bytes())
    reversed_.write_bytes(issuer + signer)
    text.write_text("证书")
    good = {"key_file": key, "key_password": "口令", "chain_file": certificates}
    for wrong, named in (
        ({"chain_file": ""}, "EZT_COPY_KEY_FILE和EZT_COPY_CHAIN_FILE须同时设置"),
        ({"key_password": "别的"}, "EZT_COPY_KEY_PASSWORD不对"),
        ({"key_password": ""}, "EZT_COPY_KEY_PASSWORD"),
        ({"key_file": other_key}, "EZT_COPY_KEY_PASSWORD"),
        ({"key_file": other_key, "key_password": ""}, "EZT_COPY_CHAIN_FILE的第一张证书"),
        ({"key_file": curve, "key_password": ""}, "EZT_COPY_KEY_FILE应为不少于2048位的RSA"),
        ({"key_file": weak_key, "key_password": "", "chain_file": weak_certificates}, "EZT_COPY_KEY_FILE应为"),
        ({"key_file": tmp_path / "none"}, "EZT_COPY_KEY_FILE.*不存在"),
        ({"key_file": text}, "EZT_COPY_KEY_FILE不是PEM"),
        ({"chain_file": tmp_path / "none"}, "EZT_COPY_CHAIN_FILE.*不存在"),
        ({"chain_file": text}, "EZT_COPY_CHAIN_FILE不是PEM"),
        ({"chain_file": broken}, "EZT_COPY_CHAIN_FILE.*不相衔接"),
        ({"chain_file": reversed_}, "EZT_COPY_CHAIN_FILE的第一张证书"),
        ({"trust_file": text}, "EZT_COPY_TRUST_FILE不是PEM"),
        ({"trust_file": reversed_}, "EZT_COPY_TRUST_FILE应以签名证书开头"),
        ({"font_folder": tmp_path / "none"}, "EZT_COPY_FONT_FOLDER"),
    ):
        use(monkeypatch, **{**good, **wrong})
        with pytest.raises(RefusalError, match=named):
            examine(seal(draw(SHEET), SHEET.copy_no, AT))
    use(monkeypatch, **good)
    assert examine(seal(draw(SHEET), SHEET.copy_no, AT)).verdict is CopyVerdict.INTACT


def test_the_trial_authority_says_that_it_is_one_and_keeps_its_key_to_itself(home: Path) -> None:
    authority = signing_authority()
    assert authority.trial
    assert all("试用" in certificate.subject.rfc4514_string() for certificate in authority.chain)
    folder = home / "copy-authority"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    assert {file.name for file in home.glob(".copy-authority*")} == set()


def test_processes_that_start_at_once_share_one_trial_authority(home: Path) -> None:
    ask = "from runtime.signing_authority import signing_authority as a; print(a().chain[0].serial_number)"
    started = [
        subprocess.Popen([sys.executable, "-c", ask], cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    assert len({process.communicate()[0].strip() for process in started} - {""}) == 1
    assert [process.returncode for process in started] == [0, 0, 0, 0]


def test_supplementary_fonts_show_what_the_others_lack(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, font_folder=made_font(tmp_path / "fonts"))
    shown = letters(draw(replace(SHEET, holder="𠮷祥")))
    assert "𠮷" in shown
    assert "〓" not in shown


def made_font(folder: Path) -> Path:
    """A folder with a font of one character."""
    from fontTools.fontBuilder import FontBuilder
    from fontTools.pens.ttGlyphPen import TTGlyphPen

    pen = TTGlyphPen(None)
    for index, corner in enumerate([(100, 0), (100, 800), (900, 800), (900, 0)]):
        (pen.lineTo if index else pen.moveTo)(corner)
    pen.closePath()
    square = pen.glyph()
    font = FontBuilder(1000)
    font.setupGlyphOrder([".notdef", "rare"])
    font.setupCharacterMap({0x20BB7: "rare"})
    font.setupGlyf({".notdef": square, "rare": square})
    font.setupHorizontalMetrics({".notdef": (1000, 100), "rare": (1000, 100)})
    font.setupHorizontalHeader(ascent=880, descent=-120)
    font.setupNameTable({"familyName": "Rare", "styleName": "Regular", "psName": "Rare-Regular"})
    font.setupOS2()
    font.setupPost()
    folder.mkdir()
    font.save(folder / "rare.ttf")
    return folder
