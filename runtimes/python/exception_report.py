"""The report of the exception that ended a script, for whoever ran it.

    {"type": "ZeroDivisionError", "message": "division by zero",
     "frames": [{"file": "script.py", "line": 3, "function": "f", "code": "return 1 / 0",
                 "locals": {"x": "1"}}],
     "cause": {"type": "KeyError", "message": "'k'"}}

Frames are the outermost first; `locals` only if they are wanted; `cause` is the `__cause__`.
"""
import private_builtins

__builtins__ = private_builtins.table

from posix import (
    O_CLOEXEC, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY, close, fstat,
    open as open_file, read, replace, unlink, write,
)
from types import BuiltinFunctionType, FunctionType, ModuleType

from bounded_repr import bounded_repr, clip, type_name
from json_text import json_text

FILE_NAME = ".scriptd-exception.json"
REPORT_BYTES_MAX = 256 * 1024
MESSAGE_CHARACTERS_MAX = 4096
PATH_CHARACTERS_MAX = 300
CODE_CHARACTERS_MAX = 200
NAME_CHARACTERS_MAX = 100
OUTER_FRAMES_MAX = 25
INNER_FRAMES_MAX = 25
LOCALS_MAX = 50
SOURCE_BYTES_MAX = 1024 * 1024

_S_IFMT = 0o170000
_S_IFREG = 0o100000
_definitions = (FunctionType, BuiltinFunctionType, ModuleType, type)


def _frame_locals_types():
    import sys

    return (dict, type(sys._getframe().f_locals))  # a proxy since Python 3.13 (PEP 667)


_locals_types = _frame_locals_types()


class Reporter:
    """Writes the report into a directory.

    directory: absolute path of the work directory
    script: path of the script as in tracebacks; its source comes from `source` (bytes), since the
        script may have changed or removed the file
    """

    def __init__(self, directory, script, source, with_locals):
        self._path = directory + "/" + FILE_NAME
        self._root = directory + "/"
        self._sources = {script: source}
        self._with_locals = with_locals

    def write(self, error, traceback):
        """Reports `error`, whose frames are those of `traceback`."""
        try:
            data = self._encode(error, traceback)
            part = self._path + ".part"
            _remove(part)
            fd = open_file(part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
            try:
                while data:
                    data = data[write(fd, data) :]
            finally:
                close(fd)
            replace(part, self._path)
        except BaseException:
            # The disk is full, the directory is gone, the limit on file sizes or memory is used up,
            # the exception's own class raises: all the script's doing. The report is an extra; the
            # traceback on stderr and the exit code still tell what happened.
            return

    def _encode(self, error, traceback):
        report = {"type": clip(type_name(error), NAME_CHARACTERS_MAX), "message": _message(error)}
        entries = _bounded_entries(traceback)
        frames = [self._frame(entry) for entry in entries]
        if issubclass(type(error), SyntaxError):
            frames += self._compiler_frame(error)
        report["frames"] = frames
        cause = BaseException.__cause__.__get__(error)
        if cause is not None:
            name = clip(type_name(cause), NAME_CHARACTERS_MAX)
            report["cause"] = {"type": name, "message": _message(cause)}
        if self._with_locals:
            self._add_locals(report, entries)
        return json_text(report).encode()

    def _frame(self, entry):
        code = entry.tb_frame.f_code
        return self._place(code.co_filename, entry.tb_lineno or 0, code.co_name)

    def _place(self, file, line, function, text=None):
        if text is None:
            text = self._line(file, line)
        relative = file[len(self._root) :] if file.startswith(self._root) else file
        return {
            "file": clip(relative, PATH_CHARACTERS_MAX),
            "line": line,
            "function": clip(function, NAME_CHARACTERS_MAX),
            "code": clip(text.strip(), CODE_CHARACTERS_MAX),
        }

    def _compiler_frame(self, error):
        """Where the compiler stopped, which is in no frame of the traceback."""
        file, line, text = error.filename, error.lineno, error.text
        if type(file) is not str or type(line) is not int or line < 0:
            return []
        return [self._place(file, line, "<module>", text if type(text) is str else None)]

    def _add_locals(self, report, entries):
        """Variables of the inner frames first, as far as the report has room for them."""
        left = REPORT_BYTES_MAX - len(json_text(report).encode()) - 1024
        for frame, entry in reversed(list(zip(report["frames"], entries))):
            variables = _variables(entry.tb_frame)
            left -= len(json_text(variables).encode()) + len(',"locals":')
            if left < 0:
                return
            frame["locals"] = variables

    def _line(self, file, number):
        source = self._sources.get(file)
        if source is None:
            source = self._sources[file] = _read_source(file)
        lines = source.split(b"\n", number)
        if not 0 < number <= len(lines):
            return ""
        return lines[number - 1][: CODE_CHARACTERS_MAX * 8].decode("utf-8", "replace")


def _bounded_entries(traceback):
    entries = []
    while traceback is not None:
        entries.append(traceback)
        traceback = traceback.tb_next
    if len(entries) > OUTER_FRAMES_MAX + INNER_FRAMES_MAX:
        del entries[OUTER_FRAMES_MAX:-INNER_FRAMES_MAX]
    return entries


def _variables(frame):
    """Of a module, what it defines and imports is left out: that is not its state."""
    variables = frame.f_locals
    if type(variables) not in _locals_types:
        return {}  # of a class body whose metaclass brought a mapping of its own
    is_module = frame.f_code.co_name == "<module>"
    texts = {}
    for name in list(variables):
        if type(name) is not str or name.startswith("__"):
            continue
        value = variables.get(name)
        if is_module and type(value) in _definitions:
            continue
        texts[clip(name, NAME_CHARACTERS_MAX)] = bounded_repr(value)
        if len(texts) == LOCALS_MAX:
            break
    return texts


def _message(error):
    """What the traceback says after the type. The interpreter calls the same __str__ for that."""
    try:
        text = error.msg if issubclass(type(error), SyntaxError) else str(error)
        if isinstance(text, str):
            return clip(str.__str__(text), MESSAGE_CHARACTERS_MAX)
    except BaseException:
        # The __str__ of an exception may do anything. The traceback says the same in its place.
        return "<exception str() failed>"
    return clip(bounded_repr(text), MESSAGE_CHARACTERS_MAX)


def _read_source(file):
    """The beginning of a source file; nothing of what is no regular file or cannot be read."""
    try:
        fd = open_file(file, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    except (OSError, ValueError):
        return b""
    try:
        regular = fstat(fd).st_mode & _S_IFMT == _S_IFREG
        return read(fd, SOURCE_BYTES_MAX) if regular else b""
    except OSError:
        return b""
    finally:
        close(fd)


def _remove(path):
    try:
        unlink(path)
    except FileNotFoundError:
        return
