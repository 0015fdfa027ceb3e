"""The program of a prepared Python: reads a task from a pipe and becomes its script.

    python3 boot.py                                the task comes on descriptor 3
    python3 boot.py --serve LIBRARY [MODULE...]    forks for each request on descriptor 3
    python3 boot.py --compile FOLDER               writes boot.pyc and what it imports, to start faster

For Python 3.8 and later. It exits with 70 if the task frame is malformed and with 71 if the task
cannot be set up, both with a line on stderr that begins with `scriptd:`; the fork server's codes are
in fork_server.py.
"""
main_names = list(globals())

import sys

loaded_at_start = frozenset(sys.modules)
folder = __file__.rpartition("/")[0] or "."
if sys.path[:1] != [folder]:
    sys.path.insert(0, folder)  # -I and -P leave it out

# The package may be read-only, or be checked for changes.
without_bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True

import private_builtins

__builtins__ = private_builtins.table

import main_module
import script_task

mode, arguments = (sys.argv[1:2] or [""])[0], sys.argv[2:]
if mode == "--compile":
    import own_code

    own_code.compile_into(folder, arguments[0])
    sys.exit(0)
if mode == "--serve":
    import fork_server
sys.dont_write_bytecode = without_bytecode

# Neither the folder nor its modules are there for the script, or for what is preloaded.
sys.path.remove(folder)
for path in (folder, __file__):
    sys.path_importer_cache.pop(path, None)
for name in set(sys.modules) - loaded_at_start:
    if (getattr(sys.modules[name], "__file__", None) or "").startswith(folder + "/"):
        del sys.modules[name]

control = 3
if mode == "--serve":
    control = fork_server.serve(arguments[0], arguments[1:], main_names)
    script_task.settle_after_fork()
else:
    script_task.rehearse_unless_there(control, main_names)
task = script_task.receive(control, main_names, loaded_at_start)
task.error = main_module.run(task.source, task.path)
sys.exit(script_task.conclude(task))
