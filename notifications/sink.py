"""A mail server for one machine without one: what it is sent, it files under ``<home>/mail/``.

``python -m notifications.sink --port 4225``
"""

import argparse
import asyncio
import os
import re
import secrets
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.policy import default
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from runtime import clock
from runtime.settings import settings

LONGEST_SUBJECT = 40
"""Characters of a subject in a file name: in UTF-8 the name stays well below the 255 bytes of file systems."""


class Filing:
    """Files each message as an ``.eml`` whose name sorts by time and says what it is about."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        content = envelope.content if isinstance(envelope.content, bytes) else (envelope.content or "").encode()
        name = _file_name(content)
        # Written beside and renamed, so that nobody ever reads half a message.
        unfinished = self._folder / f".{name}.unfinished"
        unfinished.write_bytes(content)
        os.replace(unfinished, self._folder / name)
        return "250 filed"


def _file_name(content: bytes) -> str:
    """Time in Asia/Shanghai, subject, and a little chance against two at once. The subject may hold no path."""
    subject = str(message_from_bytes(content, policy=default)["Subject"] or "mail")
    about = re.sub(r"[^\w-]+", "_", subject)[:LONGEST_SUBJECT].strip("_")
    at = clock.now().astimezone(clock.SHANGHAI)
    return f"{at:%Y%m%dT%H%M%S.%f}-{about}-{secrets.token_hex(3)}.eml"


@contextmanager
def running(folder: Path, port: int) -> Iterator[None]:
    """The sink on 127.0.0.1 while the block runs. Raises ``OSError`` when the port is taken."""
    controller = Controller(Filing(folder), hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield
    finally:
        controller.stop()


async def _until_stopped() -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description="本机邮件存档：收到的每封邮件存为数据目录mail文件夹中的一个文件。")
    parser.add_argument("--port", type=int, required=True)
    with running(settings().home / "mail", parser.parse_args().port):
        asyncio.run(_until_stopped())


if __name__ == "__main__":
    main()
