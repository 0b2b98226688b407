"""A small disk of memory that a test can really fill."""

import errno
import os
import subprocess
from pathlib import Path

PIECES = (1 << 20, 1 << 12)


class SmallDisk:
    """A file system of its own with `megabytes` of room, where this user may mount one."""

    def __init__(self, megabytes: int) -> None:
        self._megabytes = megabytes
        self._at: Path | None = None

    @staticmethod
    def is_allowed() -> bool:
        """Whether this user may mount one; only root may, and not in every container."""
        if os.geteuid() != 0:
            return False
        probe = ["unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]  # gone with the process
        return subprocess.run(probe, capture_output=True, check=False).returncode == 0

    def mount(self, at: Path) -> None:
        """Put the disk at a folder."""
        options = f"size={self._megabytes}m,mode=0700"
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(at)], check=True)
        self._at = at

    def fill(self) -> None:
        """Leave not one page free."""
        with self._ballast.open("ab") as file:
            for piece in PIECES:
                while _grows(file.fileno(), piece):
                    pass

    def free(self) -> None:
        """Give back what `fill` took."""
        self._ballast.unlink(missing_ok=True)

    def unmount(self) -> None:
        """Take the disk away, also under somebody who still has a file open there."""
        if self._at:
            subprocess.run(["umount", "--lazy", str(self._at)], check=False)
            self._at = None

    @property
    def _ballast(self) -> Path:
        assert self._at, "the disk is not mounted"
        return self._at / "ballast"


def _grows(file: int, by: int) -> bool:
    try:
        os.posix_fallocate(file, os.fstat(file).st_size, by)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        return False
    return True
