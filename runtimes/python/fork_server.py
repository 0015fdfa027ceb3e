"""The server whose children become scripts: everything is imported once, and shared.

It has one thread only, since a fork copies no other, and freezes its objects, so that no collection
of garbage writes to the pages that the children share.
"""
import private_builtins

__builtins__ = private_builtins.table

import ctypes
import gc
import importlib
import os
import sys

import rehearsal
from json_text import json_text

EXIT_USAGE = 64
EXIT_MODULE = 65
EXIT_THREADS = 69
EXIT_LIBRARY = 70
EXIT_FORK = 71

REQUEST_FD = 3
# What the first leaves for a second to meet: a function is specialized only after some calls (PEP 659).
REHEARSALS = 2


def serve(library, modules, main_names):
    """Imports `modules`, rehearses, says so on stdout, and forks for each request.

    main_names: of the entries of a `__main__`, in their order

    Returns the descriptor of the control pipe, in each child. The server itself exits when the
    requests end.
    """
    _import(modules)
    _require_one_thread()
    call = _load(library)
    for _ in range(REHEARSALS):
        rehearsal.rehearse(main_names)
    print(json_text({"ready": 1, "python": sys.version.split()[0]}), flush=True)
    gc.collect()
    gc.freeze()
    python = ctypes.pythonapi
    python.PyOS_BeforeFork()
    control = call(REQUEST_FD)
    if control >= 0:
        python.PyOS_AfterFork_Child()
        return control
    python.PyOS_AfterFork_Parent()
    if control < -1:
        _exit_saying(EXIT_FORK, "no more can be forked: %s" % os.strerror(ctypes.get_errno()))
    sys.exit(0)


def _import(modules):
    for name in modules:
        try:
            importlib.import_module(name)
        except BaseException as error:
            text = "%s: %s" % (type(error).__name__, error)
            _exit_saying(EXIT_MODULE, "module %s cannot be imported: %s" % (name, text))


def _require_one_thread():
    count = len(os.listdir("/proc/self/task"))
    if count != 1:
        text = "there are %d threads after the imports; a fork would copy one only" % count
        _exit_saying(EXIT_THREADS, text)


def _load(library):
    try:
        call = ctypes.PyDLL(library, use_errno=True).scriptd_serve
    except (OSError, AttributeError) as error:
        _exit_saying(EXIT_LIBRARY, str(error))
    call.argtypes = [ctypes.c_int]
    call.restype = ctypes.c_int
    return call


def _exit_saying(code, text):
    """Quickly: a module that was imported may have begun anything."""
    print("scriptd: " + text, file=sys.stderr, flush=True)
    os._exit(code)
