"""The task frame: all that a prepared process learns about its task, in one message.

Little-endian; a string is its length in bytes (u32), the bytes, and a NUL that is not counted; a
list is its length (u32) and its items:

    u32 magic, u32 flags, argv, env "NAME=value",
    limits (resource u32, soft u64, hard u64), files (name, mode u32, content)
"""
import private_builtins

__builtins__ = private_builtins.table

from posix import read
from select import select
from struct import Struct, error as StructError

MAGIC = 0x314B5453
INSPECT = 1
READ_BYTES = 65536

_u32 = Struct("<I").unpack_from
_limit = Struct("<IQQ").unpack_from
_LIMIT_BYTES = 20


class FrameError(Exception):
    """The bytes are no task frame."""


class TaskFrame:
    """Strings are bytes; `limits` is a list of (resource, soft, hard), `files` one of
    (name, mode, content), the first of them the script."""

    __slots__ = ("inspect", "argv", "env", "limits", "files")


class _Reader:
    __slots__ = ("data", "at")

    def __init__(self, data):
        self.data = data
        self.at = 0

    def u32(self):
        value = _u32(self.data, self.at)[0]
        self.at += 4
        return value

    def string(self):
        size = self.u32()
        end = self.at + size
        if self.data[end : end + 1] != b"\0":
            raise FrameError("a string does not end where it should")
        value = self.data[self.at : end]
        self.at = end + 1
        return value

    def strings(self):
        return [self.string() for _ in range(self.u32())]

    def limit(self):
        value = _limit(self.data, self.at)
        self.at += _LIMIT_BYTES
        return value

    def file(self):
        return self.string(), self.u32(), self.string()


def decode(data):
    """The task frame in `data` (bytes).

    Raises FrameError.
    """
    reader = _Reader(data)
    frame = TaskFrame()
    try:
        if reader.u32() != MAGIC:
            raise FrameError("it does not begin with STK1")
        frame.inspect = bool(reader.u32() & INSPECT)
        frame.argv = reader.strings()
        frame.env = reader.strings()
        frame.limits = [reader.limit() for _ in range(reader.u32())]
        frame.files = [reader.file() for _ in range(reader.u32())]
    except StructError:
        raise FrameError("it ends too early") from None
    if reader.at != len(data):
        raise FrameError("there is more after its end")
    if not frame.argv or not frame.files:
        raise FrameError("it has no script")
    return frame


def has_begun(fd):
    """True when there is something to read already, or the end."""
    return bool(select([fd], [], [], 0)[0])


def read_all(fd):
    """What comes on `fd` until its end. Blocks."""
    chunks = []
    while True:
        chunk = read(fd, READ_BYTES)
        if not chunk:
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)
        chunks.append(chunk)
