"""第十一条：电子证照使用部门应当通过区电子证照系统获得有效的电子证照及存档副本；通过对电子证照进行截图、扫描、拍照、打印或其他操作
方式所形成的证照复制件不支持作为电子证照使用。"""

import base64

import pytest

from models.certificate_uses import ArchivedCopy
from models.certificates import Certificate, CertificateHolder
from regulation.certificate_use import UseRefusedError
from regulation.certificates import CertificateState
from runtime.database import reading, transaction
from tasks.certificates.copies import standing_of_copy
from tests.articles.conftest import Counter, of, valid


def handed_in(counter: Counter, held: Certificate, content: bytes) -> str:
    """What a file is worth that somebody hands in."""
    said = of(held, "营业执照", copy_file=base64.b64encode(content).decode())
    del said["certificate"]
    return str(counter.authenticate(**said).state)


def test_an_archived_copy_is_known_again_and_altered_ones_are_not(counter: Counter) -> None:
    licence = valid("营业执照")
    made = counter.copy(**of(licence, "营业执照"))
    content = base64.b64decode(made.content)
    assert handed_in(counter, licence, content) == "valid"
    assert handed_in(counter, licence, content + b" ") == "tampered"
    with reading() as session:
        kept = session.get_one(ArchivedCopy, made.copy_no)
    assert (kept.sha256, kept.business_no, kept.operator) == (made.sha256, "SP-2026-000123", "SCJG-017")


def test_a_copy_says_what_has_become_of_its_certificate(counter: Counter) -> None:
    licence = valid("营业执照")
    made = counter.copy(**of(licence, "营业执照"))
    with transaction() as session:
        session.get_one(Certificate, licence.id).state = CertificateState.REVOKED
    assert handed_in(counter, licence, base64.b64decode(made.content)) == "revoked"
    assert "已吊销或撤销" in standing_of_copy(made.copy_no)


def test_a_copy_of_somebody_elses_is_not_the_holders(counter: Counter) -> None:
    licence = valid("营业执照")
    made = counter.copy(**of(licence, "营业执照"))
    with transaction() as session:
        session.get_one(CertificateHolder, (licence.id, 1)).holder_index = "somebody else's"
    assert handed_in(counter, licence, base64.b64decode(made.content)) == "unknown"


def test_a_copy_is_only_of_what_holds(counter: Counter) -> None:
    licence = valid("营业执照")
    with transaction() as session:
        session.get_one(Certificate, licence.id).state = CertificateState.SUSPENDED
    with pytest.raises(UseRefusedError) as refusal:
        counter.copy(**of(licence, "营业执照"))
    assert refusal.value.article == 11


@pytest.mark.parametrize(
    "content", [b"\x89PNG\r\n\x1a\n" + b"\0" * 64, b"\xff\xd8\xff\xe0\0\x10JFIF\0" + b"\0" * 64, b"%PDF-1.7\n%%EOF\n"]
)
def test_screenshots_photos_and_scans_are_no_certificates(counter: Counter, content: bytes) -> None:
    assert handed_in(counter, valid("营业执照"), content) == "not-a-certificate"
