"""The archived copy (存档副本) of Article 11 as a document: drawn as PDF/A-2b, signed, and told from all else.

The signature covers every byte but its own, and those are compared with the only way they can be written. So a file is
a copy of ours exactly as it left, or it is not, and nobody has to understand a PDF that may be made to mislead: what
is handed in is searched and hashed, never interpreted.
"""

import io
import json
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import filetype
import pylopdf_fonts_zh_cn
import segno
import typst
from asn1crypto import algos, cms, core
from asn1crypto import x509 as asn1_x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from fontTools.ttLib import TTFont
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import MDPPerm, SigFieldSpec
from pyhanko.sign.general import as_signing_certificate_v2
from pyhanko.sign.signers import SignatureObject
from pyhanko.sign.signers.cms_embedder import PdfCMSEmbedder, SigIOSetup, SigMDPSetup, SigObjSetup

from runtime.clock import SHANGHAI
from runtime.refusals import RefusalError
from runtime.settings import settings
from runtime.signing_authority import Chain, known_chains, signing_authority

TEMPLATE = Path(__file__).with_name("copy.typ").read_bytes()
FIELD = "EZTArchivedCopy"
"""The name of the signature's field: no proof of anything, but what bears it claims to be a copy of ours."""

NOT_FOR_PRINT = "打印件仅供查阅方便，不作为电子证照使用"
MISSING_GLYPH = "〓"
COPY_NUMBER_ATTRIBUTE = "1.2.840.113549.1.9.16.2.7"
"""id-aa-contentIdentifier of RFC 2634: what the signer calls the content that was signed."""

MOST_BYTES = 32 * 1024 * 1024
MOST_SIGNATURES = 4
"""How many of a file's signatures are looked at, the last ones first."""

_CONTENTS = re.compile(rb"/Contents *<([0-9A-Fa-f]{1024,131072}+)>")


@dataclass(frozen=True, slots=True)
class CopySheet:
    """What stands on a copy. ``lines``: name and value of the fields that the department may see, and no others."""

    copy_no: str
    type_name: str
    identifier: str
    issuing_authority: str
    holder: str
    lines: tuple[tuple[str, str], ...]
    state: str
    department: str
    item: str
    business_no: str
    purpose: str
    made_at: datetime
    check_url: str


class CopyVerdict(StrEnum):
    """``FOREIGN``: no signature of ours, as on a scan, a print to PDF, somebody else's document."""

    INTACT = "intact"
    TAMPERED = "tampered"
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True)
class Examined:
    """What a file is. ``copy_no`` only where our signature stands behind it; ``why`` is a Chinese sentence, ``signer``
    the name in the certificate of an intact one's signer."""

    verdict: CopyVerdict
    copy_no: str | None
    why: str
    signer: str = ""


def draw(sheet: CopySheet) -> bytes:
    """The copy as an unsigned PDF/A-2b, the same bytes for the same sheet. Characters that no font has are written as
    ``〓`` with their code point. Raises ``RefusalError`` when the folder of supplementary fonts cannot be used."""
    fonts = _fonts(settings().copy_font_folder)
    pdf = typst.compile(
        TEMPLATE,
        font_paths=fonts.found,
        ignore_system_fonts=True,
        format="pdf",
        pdf_standards="a-2b",
        timestamp=int(sheet.made_at.timestamp()),
        sys_inputs={"sheet": json.dumps(_written(sheet, fonts))},
    )
    if not isinstance(pdf, bytes):
        raise TypeError("typst gives one PDF as bytes")
    return pdf


def _written(sheet: CopySheet, fonts: "_Fonts") -> dict[str, Any]:
    """What the template reads, every text in characters that the fonts have."""
    local = sheet.made_at.astimezone(SHANGHAI)
    missing: set[str] = set()

    def say(text: str) -> str:
        return "".join(_displayable(text, fonts.characters, missing)).strip()

    use = f"办理{sheet.item}" if sheet.item else f"用于{sheet.purpose}"
    face = [
        ("持证主体", sheet.holder),
        ("电子证照标识", sheet.identifier),
        ("颁证机构", sheet.issuing_authority),
        ("证照状态", sheet.state),
        *sheet.lines,
    ]
    purpose = [
        ("使用部门", sheet.department),
        ("办理事项", sheet.item),
        ("业务编号", sheet.business_no),
        ("用途", sheet.purpose),
        ("出具时间", f"{local:%Y年%m月%d日 %H:%M}（北京时间）"),
    ]
    written: dict[str, Any] = {
        "title": say(f"{sheet.type_name}存档副本 {sheet.copy_no}"),
        "author": "柯桥e证通",
        "copy_no": say(sheet.copy_no),
        "type_name": say(sheet.type_name),
        "issuing_authority": say(sheet.issuing_authority),
        "watermark": say(f"仅供{sheet.department}{use}使用 {local:%Y-%m-%d}"),
        "face": [(say(name), say(value)) for name, value in face if value.strip()],
        "purpose": [(say(name), say(value)) for name, value in purpose if value.strip()],
        "not_for_print": NOT_FOR_PRINT,
        "qr": _qr(sheet.check_url),
        "fonts": fonts.supplementary,
    }
    remarks = [
        "本副本依据《办法》第十一条由系统出具并附电子签名，内容改动后即失效。",
        f"{NOT_FOR_PRINT}；截图、扫描、拍照件亦同。",
    ]
    if missing:
        remarks.append(f"{MISSING_GLYPH}代表字库未收的字，其后是该字的统一码。")
    return {**written, "remarks": remarks}


def _displayable(text: str, characters: frozenset[int], missing: set[str]) -> Iterator[str]:
    for character in text:
        if ord(character) in characters:
            yield character
        elif character.isspace() or unicodedata.category(character) == "Cc":
            yield " "
        elif unicodedata.category(character) != "Cf" and not unicodedata.name(character, "").startswith("VARIATION"):
            missing.add(character)
            yield f"{MISSING_GLYPH}(U+{ord(character):04X})"


def _qr(url: str) -> str:
    drawing = io.BytesIO()
    segno.make_qr(url, error="m").save(drawing, kind="svg", xmldecl=False, border=2, omitsize=True)
    return drawing.getvalue().decode()


@dataclass(frozen=True, slots=True)
class _Fonts:
    found: typst.Fonts
    supplementary: list[str]
    characters: frozenset[int]


@cache
def _fonts(extra: str) -> _Fonts:
    """The fonts of this process: those of the environment, never the machine's, and the operator's own after them."""
    own = Path(pylopdf_fonts_zh_cn.serif_path()).parent
    if extra and not Path(extra).is_dir():
        raise RefusalError("EZT_COPY_FONT_FOLDER不是文件夹或不存在，请改为字库文件所在的文件夹，或清空这项设置。")
    folders = [str(own), *([extra] if extra else [])]
    found = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=folders)
    supplementary: list[str] = []
    characters: set[int] = set()
    for font in found.fonts():
        file = Path(str(font.path))
        if file.parent != own:
            supplementary.append(font.family)
        # A collection's number is for collections only.
        number = font.index if file.suffix.lower() in (".ttc", ".otc") else -1
        with TTFont(file, fontNumber=number, lazy=True) as tables:
            characters.update(tables.getBestCmap() or ())
    # Letters that are drawn as nothing would vanish.
    shown = (code for code in characters if chr(code).isprintable())
    return _Fonts(found, sorted(set(supplementary)), frozenset(shown))


class _Writer(IncrementalPdfFileWriter):
    """Adds the signature and leaves the metadata as they were drawn, which pyhanko would rewrite in a form of XMP that
    PDF/A does not know."""

    def _update_meta(self) -> None:
        pass


def seal(pdf: bytes, copy_no: str, at: datetime) -> bytes:
    """The drawn copy with our signature over all of it and over its number; no change is permitted afterwards.

    Raises ``RefusalError``, naming the setting, when key or certificates are wrong or not valid at ``at``.
    """
    authority = signing_authority()
    authority.check_valid(at)
    size = authority.key.key_size // 8
    signed = _attributes(bytes(32), copy_no, at, authority.chain)
    room = len(_envelope(signed, bytes(size), authority.chain))
    embedder = PdfCMSEmbedder(SigFieldSpec(FIELD)).write_cms(FIELD, _Writer(io.BytesIO(pdf)))
    next(embedder)
    placeholder = SignatureObject(timestamp=at.astimezone(SHANGHAI), bytes_reserved=2 * room)
    no_change = SigMDPSetup("sha256", certify=True, docmdp_perms=MDPPerm.NO_CHANGES)
    embedder.send(SigObjSetup(placeholder, mdp_setup=no_change))
    digest, output = embedder.send(SigIOSetup("sha256"))
    signed = _attributes(digest.document_digest, copy_no, at, authority.chain)
    signature = authority.key.sign(signed, PKCS1v15(), SHA256())
    embedder.send(_envelope(signed, signature, authority.chain))
    return bytes(output.getvalue())


def examine(content: bytes) -> Examined:
    """Whether a file is a copy of ours, unchanged to the last byte, whatever it is made of; it is never interpreted.

    Raises nothing for any content; ``RefusalError`` only when our own settings are wrong.
    """
    chains = known_chains()
    if len(content) <= MOST_BYTES:
        signatures = list(_CONTENTS.finditer(content))
        for found in reversed(signatures[-MOST_SIGNATURES:]):
            seen = _seal_in(content, found.start(1) - 1, found.end(1) + 1, chains)
            if seen:
                return seen
        if FIELD.encode() in content:
            return Examined(CopyVerdict.TAMPERED, None, "文件带有本系统存档副本的标记，但签名已损坏，内容被改动过。")
        if signatures:
            return Examined(CopyVerdict.FOREIGN, None, "文件的电子签名不是本系统的签名。")
    kind = filetype.guess_mime(content) or ""
    if kind.startswith("image/"):
        return Examined(CopyVerdict.FOREIGN, None, "文件是图片（截图、扫描或拍照件），没有本系统的电子签名。")
    if kind == "application/pdf":
        return Examined(CopyVerdict.FOREIGN, None, "文件是PDF，但没有本系统的电子签名，可能是扫描、打印或另存而成。")
    return Examined(CopyVerdict.FOREIGN, None, "文件不是本系统出具的PDF，没有本系统的电子签名。")


def _seal_in(content: bytes, start: int, end: int, chains: Sequence[Chain]) -> Examined | None:
    """What the signature written between ``start`` and ``end`` says, ``None`` when it names no signer of ``chains``."""
    written = content[start + 1 : end - 1]
    try:
        information = cms.ContentInfo.load(bytes.fromhex(written.decode()))["content"]["signer_infos"][0]
        signer = information["sid"].chosen
        ours = _chains_of(signer["issuer"].dump(), signer["serial_number"].native, chains)
        if not ours:
            return None
        signed = information["signed_attrs"].untag().dump()
        signature = information["signature"].native
        attributes = {each["type"].dotted: each["values"][0] for each in information["signed_attrs"]}
        key = ours[0][0].public_key()
        if not isinstance(key, RSAPublicKey):
            return None
        key.verify(signature, signed, PKCS1v15(), SHA256())
        copy_no = attributes[COPY_NUMBER_ATTRIBUTE].parse(core.OctetString).native.decode()
        digest = attributes[cms.CMSAttributeType.unmap("message_digest")].native
    except InvalidSignature:
        return Examined(CopyVerdict.TAMPERED, None, "文件中本系统的签名已损坏，内容被改动过。")
    # Bytes that were made to break a parser break it in its own way.
    except Exception:
        return None
    covered = sha256(content[:start])
    covered.update(content[end:])
    ranges = f"/ByteRange [0 {start} {end} {len(content) - end}]".encode()
    as_ours = any(written == _envelope(signed, signature, chain).hex().upper().encode() for chain in ours)
    if covered.digest() == digest and as_ours and ranges in content:
        signer = ours[0][0].subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        name = str(signer[0].value) if signer else ""
        return Examined(CopyVerdict.INTACT, copy_no, "签名有效，内容自出具以来没有改动。", name)
    return Examined(CopyVerdict.TAMPERED, copy_no, f"这是存档副本{copy_no}，但内容在签名之后被改动过。")


def _chains_of(issuer: bytes, serial: int, chains: Sequence[Chain]) -> list[Chain]:
    """One signer has several when its file once held more or fewer issuers."""
    return [each for each in chains if (each[0].issuer.public_bytes(), each[0].serial_number) == (issuer, serial)]


def _attributes(digest: bytes, copy_no: str, at: datetime, chain: Chain) -> bytes:
    """What is signed (RFC 5652): the digest of the document, its number, the instant, the signer's certificate."""
    values = {
        "content_type": cms.ContentType("data"),
        "message_digest": core.OctetString(digest),
        "signing_time": cms.Time({"utc_time": core.UTCTime(at.astimezone(UTC).replace(microsecond=0))}),
        "cms_algorithm_protection": cms.CMSAlgorithmProtection({**_algorithms(), "mac_algorithm": None}),
        "signing_certificate_v2": as_signing_certificate_v2(_asn1(chain)[0]),
        COPY_NUMBER_ATTRIBUTE: core.OctetString(copy_no.encode()),
    }
    attributes = [cms.CMSAttribute({"type": kind, "values": [value]}) for kind, value in values.items()]
    return bytes(cms.CMSAttributes(attributes).dump())


def _envelope(signed: bytes, signature: bytes, chain: Chain) -> bytes:
    """The one way in which these signed attributes, this signature and these certificates are written."""
    certificates = _asn1(chain)
    algorithms = _algorithms()
    information = {
        "version": "v1",
        "sid": cms.SignerIdentifier(
            {
                "issuer_and_serial_number": {
                    "issuer": certificates[0].issuer,
                    "serial_number": certificates[0].serial_number,
                }
            }
        ),
        **algorithms,
        "signed_attrs": cms.CMSAttributes.load(signed),
        "signature": signature,
    }
    content = {
        "version": "v1",
        "digest_algorithms": [algorithms["digest_algorithm"]],
        "encap_content_info": {"content_type": "data"},
        "certificates": [cms.CertificateChoices("certificate", each) for each in certificates],
        "signer_infos": [information],
    }
    return bytes(cms.ContentInfo({"content_type": "signed_data", "content": cms.SignedData(content)}).dump())


def _algorithms() -> dict[str, Any]:
    return {
        "digest_algorithm": algos.DigestAlgorithm({"algorithm": "sha256"}),
        "signature_algorithm": algos.SignedDigestAlgorithm({"algorithm": "sha256_rsa"}),
    }


def _asn1(chain: Chain) -> list[Any]:
    return [asn1_x509.Certificate.load(each.public_bytes(Encoding.DER)) for each in chain]
