"""Encryption of personal information, blind indexes to look it up by, and tickets that end.

What is stored is encrypted with AES-256-GCM: a certificate has four encrypted values, and a backfill a million
certificates. A key may encrypt 2**32 values under random nonces (NIST SP 800-38D, 8.3). Tickets, which have to know
their age, are Fernet tokens. Several keys at once make rotation possible: the first encrypts, all decrypt. A blind
index is an HMAC-SHA256, so equal values can be found without being readable.
"""

import hmac
import os
import secrets
import unicodedata
from base64 import b64decode, b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from functools import cache
from pathlib import Path

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from runtime.settings import settings

KEY_NAME, NONCE = 4, 12
"""Bytes before a sealed value: which key sealed it, and the nonce."""


class KeysMissingError(RuntimeError):
    """The data keys are not set or are none, so nothing can be read or written."""


class NotOursError(ValueError):
    """What none of our keys sealed, or sealed too long ago."""


class Keys:
    """The keys of one installation."""

    def __init__(self, data_keys: str, index_key: str) -> None:
        """``data_keys``: 32 bytes each in URL-safe Base64, comma-separated, newest first. ``index_key``: any secret
        text."""
        given = [key.strip() for key in data_keys.split(",") if key.strip()]
        if not given or not index_key:
            raise KeysMissingError(
                "EZT_DATA_KEYS和EZT_INDEX_KEY没有都设置：首次使用请运行 ezt migrate 生成密钥，否则请从备份补全。"
            )
        try:
            raw = [urlsafe_b64decode(key) for key in given]
            self._ciphers = {_derived(key, b"name")[:KEY_NAME]: AESGCM(_derived(key, b"data")) for key in raw}
            self._tickets = MultiFernet([Fernet(urlsafe_b64encode(_derived(key, b"ticket"))) for key in raw])
        except ValueError:
            raise KeysMissingError(
                "EZT_DATA_KEYS不是有效的密钥，请从备份恢复原来的密钥；换用新密钥会读不出已有的数据。"
            ) from None
        self._newest = next(iter(self._ciphers))
        self._index_key = index_key.encode()

    def encrypt(self, plain: bytes) -> bytes:
        """The key's name, a random nonce, and the sealed bytes."""
        nonce = os.urandom(NONCE)
        return self._newest + nonce + self._ciphers[self._newest].encrypt(nonce, plain, None)

    def decrypt(self, sealed: bytes) -> bytes:
        """What ``encrypt`` sealed. Raises ``NotOursError`` for anything else."""
        cipher = self._ciphers.get(sealed[:KEY_NAME])
        if cipher is None:
            raise NotOursError("sealed with none of our keys")
        try:
            return cipher.decrypt(sealed[KEY_NAME : KEY_NAME + NONCE], sealed[KEY_NAME + NONCE :], None)
        except (InvalidTag, ValueError):
            raise NotOursError("altered since it was sealed") from None

    def encrypt_text(self, plain: str) -> str:
        """As ``encrypt``, in Base64."""
        return b64encode(self.encrypt(plain.encode())).decode()

    def decrypt_text(self, sealed: str) -> str:
        """What ``encrypt_text`` sealed. Raises ``NotOursError`` for anything else."""
        try:
            raw = b64decode(sealed, validate=True)
        except ValueError:
            raise NotOursError("never sealed at all") from None
        return self.decrypt(raw).decode()

    def ticket(self, said: str) -> str:
        """A text that only we can read, which knows when it was made."""
        return self._tickets.encrypt(said.encode()).decode()

    def read_ticket(self, ticket: str, life: timedelta) -> str:
        """What a ticket says. Raises ``NotOursError`` for none of ours and for one older than ``life``."""
        try:
            return self._tickets.decrypt(ticket.encode(), int(life.total_seconds())).decode()
        except InvalidToken:
            raise NotOursError("no ticket of ours, or too old") from None

    def blind_index(self, kind: str, value: str) -> str:
        """64 hex digits for ``value``, compared without regard to case, width (NFKC) and spaces; ``kind`` separates
        the uses, so that a number's index is not a name's."""
        folded = "".join(unicodedata.normalize("NFKC", value).casefold().split())
        return hmac.new(self._index_key, f"{kind}\0{folded}".encode(), "sha256").hexdigest()


class SealKeys:
    """The Ed25519 keys that seal the record: the first signs, the signatures of all of them hold."""

    def __init__(self, public: Sequence[Ed25519PublicKey], signing: Ed25519PrivateKey | None = None) -> None:
        self._public, self._signing = public, signing

    @classmethod
    def of_private(cls, given: str) -> "SealKeys":
        """``given``: private keys of 64 hex digits, comma-separated, newest first. Raises ``KeysMissingError``."""
        try:
            private = [Ed25519PrivateKey.from_private_bytes(bytes.fromhex(key)) for key in given.split(",")]
        except ValueError:
            raise KeysMissingError(
                "EZT_SEAL_KEYS未设置或不是有效的密钥（64位十六进制，逗号分隔）："
                "首次使用请运行 ezt migrate，否则请从备份恢复。"
            ) from None
        return cls([key.public_key() for key in private], private[0])

    @classmethod
    def of_public(cls, given: Sequence[str]) -> "SealKeys":
        """``given``: public keys of 64 hex digits, which can check and not sign. Raises ``ValueError``."""
        return cls([Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)) for key in given])

    @property
    def public(self) -> list[str]:
        """The public keys, 64 hex digits each, the signing one's first."""
        return [key.public_bytes_raw().hex() for key in self._public]

    def sign(self, message: bytes) -> str:
        """The signature, 128 hex digits. Only keys made of private ones can."""
        if self._signing is None:
            raise KeysMissingError("这里只有公钥，不能签名。")
        return self._signing.sign(message).hex()

    def signed(self, message: bytes, signature: str) -> bool:
        """Whether one of the keys made this signature."""
        for key in self._public:
            with suppress(InvalidSignature, ValueError):
                key.verify(bytes.fromhex(signature), message)
                return True
        return False


def _derived(key: bytes, purpose: bytes) -> bytes:
    """A key of its own for each purpose. ``ValueError`` for a key that is not 32 bytes."""
    if len(key) != 32:
        raise ValueError("a data key has 32 bytes")
    return HKDF(SHA256(), 32, None, b"ezt " + purpose).derive(key)


@cache
def seal_keys() -> SealKeys:
    """The keys of this process that seal the record, from the settings. Raises ``KeysMissingError``."""
    return SealKeys.of_private(settings().seal_keys.get_secret_value())


@cache
def keys() -> Keys:
    """The keys of this process, from the settings."""
    return Keys(settings().data_keys.get_secret_value(), settings().index_key.get_secret_value())


def keys_are_set() -> bool:
    """Whether the settings hold any key; one alone is an installation that lost the other, not a fresh one."""
    return bool(settings().data_keys.get_secret_value() or settings().index_key.get_secret_value())


def ensure_keys() -> Path | None:
    """Write fresh keys to ``<home>/ezt.env`` (mode 0600) where none are set yet; the file's path if it wrote."""
    if keys_are_set():
        return None
    path = settings().home / "ezt.env"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.chmod(0o600)
    # An operator's last line may lack its end.
    line_break = "" if path.read_bytes()[-1:] in (b"", b"\n") else "\n"
    with path.open("a", encoding="utf-8") as file:
        file.write(
            f"{line_break}EZT_DATA_KEYS={urlsafe_b64encode(os.urandom(32)).decode()}\n"
            f"EZT_INDEX_KEY={secrets.token_hex(32)}\nEZT_SEAL_KEYS={secrets.token_hex(32)}\n"
        )
    settings.cache_clear()
    keys.cache_clear()
    seal_keys.cache_clear()
    return path
