"""From the task frame to the end of its script."""
import private_builtins

__builtins__ = private_builtins.table

import gc
import os
import sys

import ending
import exception_report
import input_files
import main_module
import process_state
import rehearsal
import standard_streams
import task_frame

EXIT_FRAME = 70
EXIT_SETUP = 71

_getpid = os.getpid
_is_unbuffered = lambda: bool(os.environ.get("PYTHONUNBUFFERED"))


class ScriptTask:
    __slots__ = ("source", "path", "pid", "reporter", "loaded_before", "error")


def settle_after_fork():
    """Makes a forked child what a process of its own would be."""
    process_state.restore_signals()
    process_state.reseed_random()
    standard_streams.open_streams(_is_unbuffered())


def rehearse_unless_there(control, main_names):
    """For a process that was started for one task, which may be there already."""
    if not task_frame.has_begun(control):
        rehearsal.rehearse(main_names)
    gc.collect()
    gc.freeze()


def receive(control, main_names, loaded_at_start):
    """Waits for the task and makes everything ready for its script.

    Exits when that fails, and without a word when the pipe is closed unused: then there is no task.
    """
    data = task_frame.read_all(control)
    os.close(control)
    if not data:
        os._exit(0)
    try:
        return _set_up(task_frame.decode(data), main_names, loaded_at_start)
    except task_frame.FrameError as error:
        _exit_saying(EXIT_FRAME, "the task frame is malformed: %s" % error)
    except (OSError, ValueError) as error:
        _exit_saying(EXIT_SETUP, "the task cannot be set up: %s" % error)


def _set_up(frame, main_names, loaded_at_start):
    unbuffered = _is_unbuffered()
    process_state.replace_environment(frame.env)
    if _is_unbuffered() != unbuffered:
        standard_streams.open_streams(not unbuffered)
    input_files.write_files(frame.files)
    process_state.lower_limits(frame.limits)
    directory = os.getcwd()
    arguments = [os.fsdecode(argument) for argument in frame.argv]
    task = ScriptTask()
    task.path = main_module.script_path(os.fsdecode(frame.files[0][0]))
    task.source = frame.files[0][2]
    task.pid = _getpid()
    task.reporter = exception_report.Reporter(directory, task.path, task.source, frame.inspect)
    main_module.set_arguments(arguments)
    main_module.set_import_path(directory)
    names = [os.fsdecode(name) for name, _, _ in frame.files[1:]]
    main_module.forget_shadowed(names, loaded_at_start)
    task.loaded_before = frozenset(sys.modules)
    main_module.fresh_main(task.path, main_names)
    return task


def conclude(task):
    """Ends the process after its script, which `task.error` ended, or None.

    Returns an exit code if the interpreter has to end it by itself.
    """
    # The error holds all frames, and they what destructors wait for: nobody else may keep it.
    error, task.error = task.error, None
    interrupted = type(error) is KeyboardInterrupt
    if error is None:
        code = 0
    elif issubclass(type(error), SystemExit):
        code = ending.exit_code_of(error)
    else:
        code = ending.print_uncaught(error, lambda *what: _report(task, *what))
    del error
    ending.leave(code, task.loaded_before, interrupted)
    return code


def _report(task, error, traceback):
    """Not what ends a child of the script that was forked from it."""
    if _getpid() == task.pid:
        task.reporter.write(error, traceback)


def _exit_saying(code, text):
    os.write(2, b"scriptd: %s\n" % text.encode("utf-8", "backslashreplace"))
    os._exit(code)
