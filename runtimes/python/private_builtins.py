"""The builtins of the bootstrap, which the script cannot replace.

A function looks its builtins up in the `__builtins__` of its module. Each module here begins with
`__builtins__ = private_builtins.table`: whatever a script does to the module `builtins`, what
reports its exception and ends its process does not change.
"""
import builtins

table = dict(vars(builtins))
