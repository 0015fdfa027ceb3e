"""sys.stdin, sys.stdout and sys.stderr for descriptors that were put in place after the start.

A stream remembers what its descriptor was when it was made: whether it can seek, the size of its
buffer. So a forked child makes its own, just like `create_stdio` in CPython's pylifecycle.c.
"""
import private_builtins

__builtins__ = private_builtins.table

import io
import os
import sys

# Before Python 3.9 only on a terminal.
STDERR_IS_LINES = sys.version_info >= (3, 9)


def open_streams(unbuffered):
    """Puts new streams for descriptors 0, 1 and 2 in the place of the present ones."""
    sys.stdin = sys.__stdin__ = _stream(0, sys.__stdin__, "<stdin>", unbuffered)
    sys.stdout = sys.__stdout__ = _stream(1, sys.__stdout__, "<stdout>", unbuffered)
    sys.stderr = sys.__stderr__ = _stream(2, sys.__stderr__, "<stderr>", unbuffered)


def _stream(fd, old, name, unbuffered):
    try:
        os.fstat(fd)
    except OSError:
        return None  # as in a process that was started with the descriptor closed
    mode = "r" if fd == 0 else "w"
    raw_only = unbuffered and mode == "w"
    # The descriptor is not the stream's to close.
    buffer = io.open(fd, mode + "b", 0 if raw_only else -1, closefd=False)
    raw = buffer if raw_only else buffer.raw
    raw.name = name
    stream = io.TextIOWrapper(
        buffer,
        encoding=old.encoding if old else "utf-8",
        errors=old.errors if old else _errors(fd),
        newline="\n",
        line_buffering=not unbuffered and (fd == 2 and STDERR_IS_LINES or raw.isatty()),
        write_through=unbuffered,
    )
    stream.mode = mode
    return stream


def _errors(fd):
    return "backslashreplace" if fd == 2 else "surrogateescape"
