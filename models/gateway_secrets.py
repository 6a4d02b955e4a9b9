"""The secrets that a superior bureau's gateway lent us, shared by all our processes."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, EncryptedText


class GatewaySecret(Base):
    """A gateway's present secrets. A refresh makes the old ones worthless, so there is one row a gateway."""

    __tablename__ = "gateway_secrets"

    gateway: Mapped[str] = mapped_column(primary_key=True)
    request_secret: Mapped[str] = mapped_column(EncryptedText)
    request_secret_ends_at: Mapped[datetime]
    refresh_secret: Mapped[str] = mapped_column(EncryptedText)
    refresh_secret_ends_at: Mapped[datetime]
