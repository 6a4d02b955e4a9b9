"""Encryption of personal information, blind indexes to look it up by, and tickets that end.

What is stored is encrypted with AES-256-GCM: a certificate has four encrypted values, and a backfill a million
certificates. A key may encrypt 2**32 values under random nonces (NIST SP 800-38D, 8.3). Tickets, which have to know
their age, are Fernet tokens. Several keys at once make rotation possible: the first encrypts, all decrypt. A running
process learns of a new one from the file of the settings: within ``LOOK_EVERY`` seconds, or at once where it meets a
value that no key it knows has sealed. A blind index is an HMAC-SHA256, so equal values can be found without being
readable; it has a key of its own, which does not change (docs/adr/0021).
"""

import fcntl
import hmac
import os
import re
import secrets
import time
import unicodedata
from base64 import b64decode, b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from threading import Lock

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from runtime.refusals import RefusalError
from runtime.settings import read_settings, settings, settings_file

KEY_NAME, NONCE = 4, 12
"""Bytes before a sealed value: which key sealed it, and the nonce."""
ALTERED = "数据库里有一个加密的值被改动过，打不开：请保全证据，报安全员，不要修补（见运维手册的应急预案）。"
LOOK_EVERY = 1.0
"""Seconds after which a process looks whether its data keys have changed."""


class KeysMissingError(RuntimeError):
    """The data keys are not set or are none, so nothing can be read or written."""


class NotOursError(ValueError):
    """What none of our keys sealed, or sealed too long ago; ``str()`` is one Chinese sentence."""


@dataclass(frozen=True, slots=True)
class _Ring:
    """The data keys that hold at one moment."""

    newest: bytes
    ciphers: dict[bytes, AESGCM]
    tickets: MultiFernet

    @classmethod
    def of(cls, data_keys: Sequence[str]) -> "_Ring":
        try:
            raw = [urlsafe_b64decode(key) for key in data_keys]
            ciphers = {_derived(key, b"name")[:KEY_NAME]: AESGCM(_derived(key, b"data")) for key in raw}
            tickets = MultiFernet([Fernet(urlsafe_b64encode(_derived(key, b"ticket"))) for key in raw])
        except ValueError:
            raise KeysMissingError(
                "EZT_DATA_KEYS不是有效的密钥，请从备份恢复原来的密钥；换用新密钥会读不出已有的数据。"
            ) from None
        return cls(next(iter(ciphers)), ciphers, tickets)


class Keys:
    """The keys of one installation."""

    def __init__(self, data_keys: str, index_key: str, later: Callable[[], str | None] = lambda: None) -> None:
        """``data_keys``: 32 bytes each in URL-safe Base64, comma-separated, newest first. ``index_key``: any secret
        text. ``later`` is asked now and then what the data keys have become, ``None`` while they are what they were."""
        given = split_keys(data_keys)
        if not given or not index_key:
            raise KeysMissingError(
                "EZT_DATA_KEYS和EZT_INDEX_KEY没有都设置：首次使用请运行 ezt migrate 生成密钥，否则请从备份补全。"
            )
        self._ring = _Ring.of(given)
        self._later, self._look_at, self._looking = later, time.monotonic() + LOOK_EVERY, Lock()
        self._index_key = index_key.encode()

    def _present(self, *, at_once: bool = False) -> _Ring:
        """The data keys as they are, as of ``LOOK_EVERY`` seconds ago or, ``at_once``, of now."""
        if at_once or time.monotonic() >= self._look_at:
            with self._looking:
                self._look_at = time.monotonic() + LOOK_EVERY
                changed = self._later()
                if changed is not None:
                    # Whoever wrote something wrong stops nobody who is at work with the right ones.
                    with suppress(KeysMissingError):
                        self._ring = _Ring.of(split_keys(changed))
        return self._ring

    @property
    def newest(self) -> bytes:
        """The name of the key that encrypts."""
        return self._present(at_once=True).newest

    def encrypt(self, plain: bytes) -> bytes:
        """The key's name, a random nonce, and the sealed bytes."""
        ring, nonce = self._present(), os.urandom(NONCE)
        return ring.newest + nonce + ring.ciphers[ring.newest].encrypt(nonce, plain, None)

    def decrypt(self, sealed: bytes) -> bytes:
        """What ``encrypt`` sealed. Raises ``NotOursError`` for anything else."""
        name = sealed[:KEY_NAME]
        cipher = self._ring.ciphers.get(name) or self._present(at_once=True).ciphers.get(name)
        if cipher is None:
            raise NotOursError(
                "数据库里有一个值是用别的密钥加密的，EZT_DATA_KEYS打不开：请放回与这个数据库相配的ezt.env，"
                "或把缺的密钥接在EZT_DATA_KEYS末尾；不要换用新密钥。"
            )
        try:
            return cipher.decrypt(sealed[KEY_NAME : KEY_NAME + NONCE], sealed[KEY_NAME + NONCE :], None)
        except (InvalidTag, ValueError):
            raise NotOursError(ALTERED) from None

    def encrypt_text(self, plain: str) -> str:
        """As ``encrypt``, in Base64."""
        return b64encode(self.encrypt(plain.encode())).decode()

    def decrypt_text(self, sealed: str) -> str:
        """What ``encrypt_text`` sealed. Raises ``NotOursError`` for anything else."""
        try:
            raw = b64decode(sealed, validate=True)
        except ValueError:
            raise NotOursError(ALTERED) from None
        return self.decrypt(raw).decode()

    def ticket(self, said: str) -> str:
        """A text that only we can read, which knows when it was made."""
        return self._present().tickets.encrypt(said.encode()).decode()

    def read_ticket(self, ticket: str, life: timedelta) -> str:
        """What a ticket says. Raises ``NotOursError`` for none of ours and for one older than ``life``."""
        try:
            # Another process may have made it with a key that this one has not met yet.
            tickets = self._present(at_once=True).tickets
            return tickets.decrypt(ticket.encode(), int(life.total_seconds())).decode()
        except InvalidToken:
            raise NotOursError("不是本系统签发的，或已经过期。") from None

    def blind_index(self, kind: str, value: str) -> str:
        """64 hex digits for ``value``, compared without regard to case, width (NFKC) and spaces; ``kind`` separates
        the uses, so that a number's index is not a name's."""
        folded = "".join(unicodedata.normalize("NFKC", value).casefold().split())
        return self.digest(kind, folded)

    def digest(self, kind: str, value: str) -> str:
        """64 hex digits for exactly this ``value``, from which nobody without the key can guess it."""
        return hmac.new(self._index_key, f"{kind}\0{value}".encode(), "sha256").hexdigest()


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


def split_keys(data_keys: str) -> list[str]:
    """The keys of a setting, one by one."""
    return [key.strip() for key in data_keys.split(",") if key.strip()]


def new_data_key() -> str:
    """A fresh data key."""
    return urlsafe_b64encode(os.urandom(32)).decode()


def key_name(data_key: str) -> bytes:
    """The name that stands before whatever this data key seals."""
    return _derived(urlsafe_b64decode(data_key), b"name")[:KEY_NAME]


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
    """The keys of this process, from the settings; the data keys as the settings have them while it runs."""
    watched = _Watched(settings_file())
    return Keys(settings().data_keys.get_secret_value(), settings().index_key.get_secret_value(), watched.changed)


class _Watched:
    """The settings' file, looked at for other data keys than before."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._seen = self._mark()

    def changed(self) -> str | None:
        mark = self._mark()
        if mark == self._seen:
            return None
        self._seen = mark
        try:
            return read_settings().data_keys.get_secret_value()
        except RefusalError:
            return None

    def _mark(self) -> tuple[int, int, int] | None:
        try:
            found = self._file.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino, found.st_size


def present_data_keys() -> list[str]:
    """The data keys as the settings have them now, the one that encrypts first."""
    return split_keys(read_settings().data_keys.get_secret_value())


def change_data_keys(change: Callable[[list[str]], list[str]]) -> None:
    """Write what ``change`` makes of the data keys into the settings' file, whole or not at all; two changes at once
    are made one after the other.

    ``RefusalError`` where the keys do not stand in the file, or it cannot be written; what ``change`` raises.
    """
    if any(name.upper() == "EZT_DATA_KEYS" for name in os.environ):
        raise RefusalError("EZT_DATA_KEYS由环境变量给出，本命令只改数据目录的ezt.env；请把它移到ezt.env后重试。")
    file = settings_file().resolve()
    try:
        with _alone(file.parent):
            lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
            ours = [place for place, line in enumerate(lines) if _DATA_KEYS_LINE.match(line)]
            if len(ours) != 1:
                raise RefusalError(f"{file}中应有且只有一行EZT_DATA_KEYS，现有{len(ours)}行，请改正后重试。")
            lines[ours[0]] = f"EZT_DATA_KEYS={','.join(change(present_data_keys()))}\n"
            _replace(file, "".join(lines))
    except OSError:
        raise RefusalError(f"{file}不能读写，请以能写它的用户运行，并检查磁盘空间。") from None


_DATA_KEYS_LINE = re.compile(r"\s*(?:export\s+)?EZT_DATA_KEYS\s*=", re.IGNORECASE)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Nobody else changes keys in this folder while the block runs: a key that is overwritten is lost with all that it
    has sealed."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield
    finally:
        os.close(opened)


def _replace(file: Path, text: str) -> None:
    """Put ``text`` in the place of a file, as readable as it was and its owner's, whoever we are."""
    before, fresh = file.stat(), file.with_name(f".{file.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as written:
        if os.geteuid() != before.st_uid:
            os.fchown(written.fileno(), before.st_uid, before.st_gid)
        os.fchmod(written.fileno(), before.st_mode & 0o777)
        written.write(text)
        written.flush()
        os.fsync(written.fileno())
    fresh.replace(file)


def keys_are_set() -> bool:
    """Whether the settings hold any key; one alone is an installation that lost the other, not a fresh one."""
    return bool(settings().data_keys.get_secret_value() or settings().index_key.get_secret_value())


def ensure_keys() -> Path | None:
    """Write fresh keys to ``<home>/ezt.env`` (mode 0600) where none are set yet; the file's path if it wrote."""
    if keys_are_set():
        return None
    return _write(
        EZT_DATA_KEYS=new_data_key(), EZT_INDEX_KEY=secrets.token_hex(32), EZT_SEAL_KEYS=secrets.token_hex(32)
    )


def ensure_prefect_password() -> Path | None:
    """As ``ensure_keys``, the password of Prefect's API: 80 bits that a person can type from paper."""
    if settings().prefect_password.get_secret_value():
        return None
    return _write(EZT_PREFECT_PASSWORD=secrets.token_hex(10))


def _write(**fresh: str) -> Path:
    path = settings().home / "ezt.env"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.chmod(0o600)
    # An operator's last line may lack its end.
    line_break = "" if path.read_bytes()[-1:] in (b"", b"\n") else "\n"
    with path.open("a", encoding="utf-8") as file:
        file.write(line_break + "".join(f"{name}={value}\n" for name, value in fresh.items()))
    settings.cache_clear()
    keys.cache_clear()
    seal_keys.cache_clear()
    return path
