"""A folder on a file system of its own, which can be filled to the last bytes."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

SHORT = 2**20

small_disks = pytest.mark.skipif(os.geteuid() != 0 or os.environ.get("EZT_NO_MOUNTS") == "1", reason="only root mounts")


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[Callable[[int], None]]:
    """Put a folder on a file system of so many bytes while the block runs. Yields what leaves so many of them free; 0
    takes away what filled it."""
    beside = folder.with_name(f"{folder.name}-there")
    shutil.copytree(folder, beside)
    with ExitStack() as stack:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "ezt", str(folder)], check=True)
        stack.callback(subprocess.run, ["umount", "--lazy", str(folder)], check=True)
        shutil.copytree(beside, folder, dirs_exist_ok=True)
        filler = folder / "filler"

        def leave(free: int) -> None:
            filler.unlink(missing_ok=True)
            if free:
                filler.write_bytes(b"\0" * (shutil.disk_usage(folder).free - free))

        yield leave
