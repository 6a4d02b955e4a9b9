"""What all tables share: names of constraints, and column types for instants, enums and encrypted values."""

import json
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from typing import Any, ClassVar

from pydantic import TypeAdapter
from sqlalchemy import JSON, Column, DateTime, Dialect, Enum, LargeBinary, MetaData, Table, Text
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator, TypeEngine

from runtime.keys import keys


class Instant(TypeDecorator[datetime]):
    """An instant, stored as UTC; aware on the way in and out, on SQLite too."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant without a zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class EncryptedText(TypeDecorator[str]):
    """Text that only the holder of the data keys can read."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else keys().encrypt_text(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else keys().decrypt_text(value)


class EncryptedJson(TypeDecorator[Any]):
    """A JSON value that only the holder of the data keys can read."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else keys().encrypt_text(json.dumps(value, ensure_ascii=False))

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else json.loads(keys().decrypt_text(value))


class EncryptedBytes(TypeDecorator[bytes]):
    """A file's content that only the holder of the data keys can read."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        return None if value is None else keys().encrypt(value)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        return None if value is None else keys().decrypt(value)


class SealedBytes(TypeDecorator[bytes]):
    """Bytes that whoever stores them has sealed already (``runtime.keys.Keys.encrypt``)."""

    impl = LargeBinary
    cache_ok = True


class TypedJson(TypeDecorator[Any]):
    """A JSON value that is checked on its way in and comes out as the type it was stored from."""

    impl = JSON
    cache_ok = True

    def __init__(self, kind: Any) -> None:
        super().__init__()
        self.kind = kind

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        kind = _adapter(self.kind)
        return kind.dump_python(kind.validate_python(value), mode="json")

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return _adapter(self.kind).validate_python(value)


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


SEALED = (EncryptedBytes, EncryptedJson, EncryptedText, SealedBytes)
"""Column types whose values a data key has sealed."""


def as_stored(table: Table) -> Table:
    """The same table, with its columns as they lie in the database: nothing is sealed, opened or understood."""

    def kind(of: TypeEngine[Any]) -> TypeEngine[Any]:
        return of.impl_instance if isinstance(of, (*SEALED, TypedJson)) else of

    columns = [Column(each.name, kind(each.type), primary_key=each.primary_key) for each in table.columns]
    return Table(table.name, MetaData(), *columns)


def enum_text(kind: type[StrEnum]) -> Enum:
    """A ``StrEnum`` stored as its text, so that the database reads like the code."""
    return Enum(
        kind, native_enum=False, create_constraint=False, length=32, values_callable=lambda e: [m.value for m in e]
    )


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar = {
        datetime: Instant,
        str: Text,
        dict[str, Any]: JSON,
        list[str]: JSON,
        list[int]: JSON,
    }
