"""Encryption of personal information, and blind indexes to look it up by.

Fernet (AES-128-CBC with HMAC-SHA256) from ``cryptography``; several keys at once make rotation possible: the first
encrypts, all decrypt. A blind index is an HMAC-SHA256, so equal values can be found without being readable.
"""

import hmac
import secrets
import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from functools import cache
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.fernet import Fernet, MultiFernet
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from runtime.settings import settings


class KeysMissingError(RuntimeError):
    """The data keys are not set or are none, so nothing can be read or written."""


class Keys:
    """The keys of one installation."""

    def __init__(self, data_keys: str, index_key: str) -> None:
        """``data_keys``: Fernet keys, comma-separated, newest first. ``index_key``: any secret text."""
        keys = [key.strip() for key in data_keys.split(",") if key.strip()]
        if not keys or not index_key:
            raise KeysMissingError(
                "EZT_DATA_KEYS和EZT_INDEX_KEY没有都设置：首次使用请运行 ezt migrate 生成密钥，否则请从备份补全。"
            )
        try:
            self._fernet = MultiFernet([Fernet(key) for key in keys])
        except ValueError:
            raise KeysMissingError(
                "EZT_DATA_KEYS不是有效的密钥，请从备份恢复原来的密钥；换用新密钥会读不出已有的数据。"
            ) from None
        self._index_key = index_key.encode()

    def encrypt(self, plain: bytes) -> bytes:
        return self._fernet.encrypt(plain)

    def decrypt(self, sealed: bytes, life: timedelta | None = None) -> bytes:
        """Raises ``InvalidToken`` for what these keys did not seal, or sealed longer than ``life`` ago."""
        return self._fernet.decrypt(sealed, None if life is None else int(life.total_seconds()))

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
            f"{line_break}EZT_DATA_KEYS={Fernet.generate_key().decode()}\n"
            f"EZT_INDEX_KEY={secrets.token_hex(32)}\nEZT_SEAL_KEYS={secrets.token_hex(32)}\n"
        )
    settings.cache_clear()
    keys.cache_clear()
    seal_keys.cache_clear()
    return path
