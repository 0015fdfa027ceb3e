"""Ends the process as the interpreter does after its main program, but quickly.

Full finalization visits every object of the process. In a forked child each page of them would be
copied for it. What a script can notice of it is done here, in the order of `Py_RunMain` and
`Py_FinalizeEx` (CPython, Modules/main.c and Python/pylifecycle.c); the rest is left to the kernel.
Where that is not possible the interpreter's own finalization is asked for.
"""
import private_builtins

__builtins__ = private_builtins.table

import atexit
import gc
import io
import sys
from _signal import SIG_DFL, SIGINT, signal
from _thread import _count as thread_count
from posix import _exit, getpid, kill

_run_exit_functions = atexit._run_exitfuncs
_collect = gc.collect
_objects = gc.get_objects
_display = sys.__excepthook__
_writers = frozenset((io.TextIOWrapper, io.BufferedWriter, io.BufferedRandom))
_int_min, _int_max = -(1 << 63), (1 << 63) - 1

EXIT_ERROR = 1
EXIT_OVERFLOW = 255
EXIT_INTERRUPTED = 130


def exit_code_of(error):
    """The exit code for a SystemExit; says on stderr what is neither a number nor None."""
    code = error
    try:
        code = error.code
    except BaseException:
        # As handle_system_exit: without a usable `code` the exception itself is what is printed.
        code = error
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF if _int_min <= code <= _int_max else EXIT_OVERFLOW
    _say(code)
    return EXIT_ERROR


def _say(value):
    _write(value)
    _write("\n")


def _write(value):
    """As PyFile_WriteObject and PySys_WriteStderr where they are called: errors are passed over."""
    try:
        sys.stderr.write(str(value))
    except BaseException:
        # Nowhere to say it: stderr is closed, None or replaced, or the value's __str__ raises.
        return


def print_uncaught(error, report):
    """Shows an exception by sys.excepthook. Returns the exit code.

    report: called with the error and its traceback before it is shown, as a hook may never return.
    """
    kind, traceback = type(error), BaseException.__traceback__.__get__(error)
    report(error, traceback)
    sys.last_type, sys.last_value, sys.last_traceback = kind, error, traceback
    if sys.version_info >= (3, 12):
        sys.last_exc = error
    hook = getattr(sys, "excepthook", None)
    failure = None
    if hook is None:
        _write("sys.excepthook is missing\n")
        _display(kind, error, traceback)
        return EXIT_ERROR
    try:
        hook(kind, error, traceback)
    except BaseException as raised:
        failure = raised
    if failure is None:
        return EXIT_ERROR
    if isinstance(failure, SystemExit):
        return exit_code_of(failure)
    _write("Error in sys.excepthook:\n")
    inner = BaseException.__traceback__.__get__(failure)
    BaseException.with_traceback(failure, inner and inner.tb_next)
    _display(type(failure), failure, BaseException.__traceback__.__get__(failure))
    _write("\nOriginal exception was:\n")
    _display(kind, error, traceback)
    return EXIT_ERROR


def leave(code, loaded_before, interrupted):
    """Ends the process with `code`, or by SIGINT if it was interrupted.

    loaded_before: names of the modules that are not the script's
    Returns only if the caller has to let the interpreter end by itself.
    """
    simple = _run_exit_steps()
    if simple:
        _destroy(loaded_before)
    if interrupted:
        _die_interrupted()
    if simple and _flush_streams():
        _exit(code)


def _run_exit_steps():
    """Waits for threads, calls what atexit has. False: the interpreter has to do the rest."""
    threading = sys.modules.get("threading")
    try:
        if threading is not None:
            threading._shutdown()
    except BaseException:
        # The interpreter will call it again, and say what is wrong.
        return False
    _call_exit_functions()
    # Daemon threads: only the interpreter can stop them. An error in a flush: only it says so.
    return thread_count() == 0 and _flush_streams()


def _call_exit_functions():
    try:
        _run_exit_functions()
    except BaseException:
        # Up to Python 3.9 it raises the last of the errors that it has already shown.
        return


def _flush_streams():
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name, None)
        try:
            if stream is not None and not stream.closed:
                stream.flush()
        except BaseException:
            if name == "stdout":
                return False
    return True


def _destroy(loaded_before):
    """Destroys what the script made, so that destructors run and open files are written out."""
    # A collection in which everything is still in use puts owners before what they own. Else a file
    # in a cycle could lose its buffer before what is in it is written.
    _collect()
    # From here on nothing can be imported, which also shortens tracebacks, as they are in the
    # interpreter's own finalization.
    sys.meta_path = sys.path_hooks = None
    sys.modules.pop("io", None)
    sys.last_type = sys.last_value = sys.last_traceback = None
    if hasattr(sys, "last_exc"):
        sys.last_exc = None
    modules = sys.modules
    for name in list(modules):
        if name == "__main__" or name not in loaded_before:
            modules.pop(name, None)
    _collect()
    # Held from outside, e.g. by an attribute of a module that was there before.
    for value in _objects():
        if type(value) in _writers:
            _flush_quietly(value)


def _flush_quietly(stream):
    try:
        if not stream.closed:
            stream.flush()
    except BaseException:
        # As the destructor of a file: there is nobody left to tell.
        return


def _die_interrupted():
    """Ends the process by SIGINT, as the interpreter does after a KeyboardInterrupt."""
    signal(SIGINT, SIG_DFL)
    kill(getpid(), SIGINT)
    _exit(EXIT_INTERRUPTED)
