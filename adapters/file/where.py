"""Which folder is meant: one of this machine, or one on an SFTP server."""

from __future__ import annotations

from adapters.base import Surroundings
from adapters.file.folder import Folder, LocalFolder
from adapters.file.sftp import SftpFolder, SftpSettings


def open_folder(folder: str, sftp: SftpSettings | None, around: Surroundings) -> Folder:
    """The folder; nothing is connected yet."""
    return LocalFolder(folder) if sftp is None else SftpFolder(sftp, folder, around.secret)
