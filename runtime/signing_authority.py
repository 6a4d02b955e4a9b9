"""Who signs documents for this installation: an RSA key and its certificate chain, and the chains of earlier years.

RSA with PKCS #1 v1.5 only: one message has one signature, so no byte of a signature can be changed and still hold.

A signature is ours when its certificate is one of the signers' known here, byte for byte. That the same issuer stands
behind it is not enough: a public certification authority stands behind many. It follows that a certificate's validity
matters on the day of signing only, and a copy stays recognised when the certificate has run out. There is no
time-stamp authority; whoever loses a key takes its chain out of the settings.

Where nothing is set there is a trial authority, made once per installation, whose names say that it is one.
"""

import os
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import NameOID

from runtime.clock import now
from runtime.refusals import RefusalError
from runtime.settings import settings

Chain = tuple[x509.Certificate, ...]
"""A signer's certificate, then its issuers."""

LEAST_BITS = 2048
TRIAL_BITS = 3072
TRIAL_LIFE = timedelta(days=3650)
TRIAL_OWNER = "试用，不具法律效力"


@dataclass(frozen=True, slots=True)
class SigningAuthority:
    """What signs here: ``key`` belongs to the first certificate of ``chain``."""

    key: RSAPrivateKey
    chain: Chain
    trial: bool

    def check_valid(self, at: datetime) -> None:
        """Raises ``RefusalError`` when a certificate of the chain is not valid at this instant."""
        for certificate in self.chain:
            if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
                raise RefusalError(
                    "存档副本的签名证书或其颁发者不在有效期内，"
                    "请换用有效的证书并重设EZT_COPY_KEY_FILE和EZT_COPY_CHAIN_FILE，把原证书文件列入EZT_COPY_TRUST_FILE。"
                )


@cache
def signing_authority() -> SigningAuthority:
    """The authority of this process, from the settings or made for trial. ``RefusalError`` names the setting that is
    wrong and what to do."""
    key_file, chain_file = settings().copy_key_file, settings().copy_chain_file
    if bool(key_file) != bool(chain_file):
        raise RefusalError("EZT_COPY_KEY_FILE和EZT_COPY_CHAIN_FILE须同时设置，或都不设置而用试用证书。")
    if not key_file:
        folder = _trial_folder()
        return _load(folder / "key.pem", folder / "chain.pem", "", trial=True)
    password = settings().copy_key_password.get_secret_value()
    return _load(Path(key_file), Path(chain_file), password, trial=False)


@cache
def known_chains() -> tuple[Chain, ...]:
    """The chains whose signers are ours: today's, and those of the years before. Raises ``RefusalError``."""
    file = settings().copy_trust_file
    earlier: list[Chain] = []
    for certificate in _certificates(Path(file), "EZT_COPY_TRUST_FILE") if file else ():
        if _is_issuer(certificate) and earlier:
            earlier[-1] = (*earlier[-1], certificate)
        else:
            earlier.append((certificate,))
    if earlier and _is_issuer(earlier[0][0]):
        raise RefusalError("EZT_COPY_TRUST_FILE应以签名证书开头，其后依次为颁发者，请按原来的证书文件首尾相接。")
    return (signing_authority().chain, *earlier)


def _load(key_file: Path, chain_file: Path, password: str, trial: bool) -> SigningAuthority:
    try:
        key = load_pem_private_key(key_file.read_bytes(), password.encode() or None)
    except OSError:
        raise RefusalError(f"EZT_COPY_KEY_FILE：私钥文件{key_file}不存在或无法读取，请检查路径和权限。") from None
    except TypeError:
        raise RefusalError(
            "EZT_COPY_KEY_PASSWORD与私钥文件不符：有口令的私钥须设置口令，没有口令的须清空这项设置。"
        ) from None
    except ValueError:
        raise RefusalError(
            "EZT_COPY_KEY_FILE不是PEM格式的私钥，或EZT_COPY_KEY_PASSWORD不对，请核对这两项设置。"
        ) from None
    if not isinstance(key, RSAPrivateKey) or key.key_size < LEAST_BITS:
        raise RefusalError(f"EZT_COPY_KEY_FILE应为不少于{LEAST_BITS}位的RSA私钥，请换用。")
    chain = _certificates(chain_file, "EZT_COPY_CHAIN_FILE")
    if _is_issuer(chain[0]) or chain[0].public_key() != key.public_key():
        raise RefusalError(
            "EZT_COPY_CHAIN_FILE的第一张证书不是EZT_COPY_KEY_FILE私钥的签名证书，请核对两个文件并把它放在最前。"
        )
    for certificate, issuer in pairwise(chain):
        try:
            certificate.verify_directly_issued_by(issuer)
        except (ValueError, TypeError, InvalidSignature):
            raise RefusalError("EZT_COPY_CHAIN_FILE中的证书不相衔接，请在签名证书之后依次放它的颁发者。") from None
    return SigningAuthority(key, chain, trial)


def _certificates(file: Path, setting: str) -> Chain:
    try:
        return tuple(x509.load_pem_x509_certificates(file.read_bytes()))
    except OSError:
        raise RefusalError(f"{setting}：证书文件{file}不存在或无法读取，请检查路径和权限。") from None
    except ValueError:
        raise RefusalError(f"{setting}不是PEM格式的证书，请核对文件。") from None


def _is_issuer(certificate: x509.Certificate) -> bool:
    with suppress(x509.ExtensionNotFound):
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    return False


def _trial_folder() -> Path:
    """The folder of the trial authority, made where there is none.

    It is made under another name and renamed whole: of several processes that start at once one succeeds, and the
    others take what it made.
    """
    folder = settings().home / "copy-authority"
    if folder.exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Only its owner can enter what mkdtemp makes.
    unfinished = Path(tempfile.mkdtemp(prefix=".copy-authority-", dir=folder.parent))
    try:
        key, chain = _make_trial(now())
        _write(unfinished / "key.pem", key)
        _write(unfinished / "chain.pem", chain)
        with suppress(OSError):
            unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return folder


def _write(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)


def _make_trial(at: datetime) -> tuple[bytes, bytes]:
    """A signer's key and its chain as PEM. The root's key is forgotten: it never signs a second time."""
    root_key, key = (generate_private_key(65537, TRIAL_BITS) for _ in range(2))
    root_name, name = _trial_name("柯桥e证通试用根证书"), _trial_name("柯桥e证通存档副本试用签名证书")
    root = (
        _draft(root_name, root_name, root_key, at)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage("key_cert_sign"), critical=True)
    )
    signer = (
        _draft(name, root_name, key, at)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage("digital_signature", "content_commitment"), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False)
    )
    chain = (each.sign(root_key, SHA256()).public_bytes(Encoding.PEM) for each in (signer, root))
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), b"".join(chain)


def _trial_name(common_name: str) -> x509.Name:
    parts = {NameOID.COUNTRY_NAME: "CN", NameOID.ORGANIZATION_NAME: TRIAL_OWNER, NameOID.COMMON_NAME: common_name}
    return x509.Name([x509.NameAttribute(kind, text) for kind, text in parts.items()])


def _draft(subject: x509.Name, issuer: x509.Name, key: RSAPrivateKey, at: datetime) -> x509.CertificateBuilder:
    # Clocks of machines differ by a little.
    return (
        x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(at - timedelta(days=1))
        .not_valid_after(at + TRIAL_LIFE)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*allowed: str) -> x509.KeyUsage:
    usages = (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
        "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
    )  # fmt: skip
    return x509.KeyUsage(**{usage: usage in allowed for usage in usages})
