"""Compiles the bootstrap for one interpreter."""
import os
import py_compile


def compile_into(folder, target):
    """Writes NAME.pyc for each NAME.py of `folder` into `target`, which can then stand alone.

    Raises OSError, py_compile.PyCompileError.
    """
    for name in os.listdir(folder):
        if name.endswith(".py"):
            source = os.path.join(folder, name)
            py_compile.compile(source, os.path.join(target, name + "c"), doraise=True)
