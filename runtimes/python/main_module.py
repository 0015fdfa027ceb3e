"""Runs a script as `__main__`, as `python3 script.py` does."""
import private_builtins

__builtins__ = private_builtins.table

import sys
from _frozen_importlib_external import SourceFileLoader
from posix import getcwd
from types import ModuleType

# The traceback has the script's path as it was on the command line before Python 3.9.
PATHS_ARE_ABSOLUTE = sys.version_info >= (3, 9)


def script_path(name):
    """`__file__` of the script called `name` in the current directory."""
    return getcwd() + "/" + name if PATHS_ARE_ABSOLUTE else name


def fresh_main(path, names):
    """A new `__main__` with these names, in their order; it becomes the one in sys.modules."""
    module = ModuleType("__main__")
    values = {
        "__name__": "__main__",
        "__annotations__": {},
        "__builtins__": sys.modules["builtins"],
        "__file__": path,
        "__loader__": SourceFileLoader("__main__", path),
    }
    namespace = module.__dict__
    namespace.clear()
    for name in names:
        namespace[name] = values.get(name)
    sys.modules["__main__"] = module
    return module


def set_arguments(arguments):
    sys.argv = list(arguments)
    if hasattr(sys, "orig_argv"):
        sys.orig_argv = [sys.orig_argv[0], *arguments]


def set_import_path(directory):
    """The work directory comes first, unless the interpreter was told not to (-I, -P)."""
    if not (getattr(sys.flags, "safe_path", False) or sys.flags.isolated):
        sys.path.insert(0, directory)
    sys.path_importer_cache.pop(directory, None)


def forget_shadowed(names, keep):
    """Lets an input file NAME.py or NAME/__init__.py be imported although a module of that name is
    loaded.

    keep: modules that each Python has before it looks into the script's directory
    """
    shadowed = set()
    for name in names:
        top, _, rest = name.partition("/")
        if rest == "__init__.py":
            shadowed.add(top)
        elif not rest and top.endswith(".py"):
            shadowed.add(top[: -len(".py")])
    if not shadowed:
        return  # to walk all modules takes a copy of the page of each name
    for name in list(sys.modules):
        if name.partition(".")[0] in shadowed and name not in keep:
            del sys.modules[name]


def run(source, path):
    """Compiles `source` (bytes) and runs it in the present `__main__`.

    Returns the exception that ended it, or None. Its traceback begins in the script.
    """
    error = None
    namespace = sys.modules["__main__"].__dict__
    try:
        code = compile(source, path, "exec", 0, True)
    except BaseException as raised:
        error = raised
    if error is not None:
        return _run_file(path, namespace, error)
    try:
        exec(code, namespace)
    except BaseException as raised:
        error = raised
    return error if error is None else _without_first_frame(error)


def _run_file(path, namespace, error):
    """For a source that `compile` refuses: python's own way of running a file is asked, since what
    it says of an encoding, or of a NUL, is not quite what `compile` says.
    """
    try:
        from ctypes import c_char_p, c_int, c_void_p, py_object, pythonapi

        open_stream = pythonapi.fopen
        open_stream.restype = c_void_p
        run_stream = pythonapi.PyRun_FileExFlags
        run_stream.restype = py_object
        run_stream.argtypes = [
            c_void_p, c_char_p, c_int, py_object, py_object, c_int, c_void_p,
        ]
        stream = open_stream(path.encode("utf-8", "surrogateescape"), b"rb")
        file_input = 257  # Py_file_input, Include/compile.h
    except (ImportError, AttributeError, OSError):
        stream = None  # an interpreter without ctypes
    if not stream:
        return _without_first_frame(error)
    try:
        run_stream(stream, path.encode(), file_input, namespace, namespace, 1, None)
    except BaseException as raised:
        return _without_first_frame(raised)
    return None


def _without_first_frame(error):
    """Takes off the frame of this module."""
    traceback = BaseException.__traceback__.__get__(error)
    BaseException.with_traceback(error, traceback and traceback.tb_next)
    return error
