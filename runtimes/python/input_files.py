"""Writes the files of a task below the current directory."""
import private_builtins

__builtins__ = private_builtins.table

from posix import (
    O_CLOEXEC, O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY, close, mkdir, open as open_file, write,
)

_FLAGS = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
_DIRECTORY_MODE = 0o755


def write_files(files):
    """Writes each (name, mode, content), with the directories that it is to lie in.

    Raises OSError: EEXIST for a name that is given twice, ENOSPC, ... ; ValueError for a name that
    leads out of the directory.
    """
    for name, mode, content in files:
        _make_parents(name)
        fd = open_file(name, _FLAGS, mode)
        try:
            _write_all(fd, content)
        finally:
            close(fd)


def _make_parents(name):
    parts = name.split(b"/")
    if any(part in (b"", b".", b"..") for part in parts):
        raise ValueError("%r is not a name below the work directory" % name)
    for depth in range(1, len(parts)):
        try:
            mkdir(b"/".join(parts[:depth]), _DIRECTORY_MODE)
        except FileExistsError:
            continue


def _write_all(fd, content):
    left = memoryview(content)
    while left:
        left = left[write(fd, left) :]
