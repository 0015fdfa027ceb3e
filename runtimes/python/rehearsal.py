"""Runs a small program before there is a task.

The first statements of a script would meet an interpreter that has run nothing yet: caches of methods
and of specialized instructions are empty, the allocator has to ask for memory. So what a task and a
typical script do is done once before: decoding a task, compiling, running, printing, raising,
collecting garbage. Nothing of it remains, and no file is made for it.

A fork server does it for all its children. That each child would do it again, so that the pages that
it shares with the server are its own before the script comes, costs ten times what it spares the
script.
"""
import private_builtins

__builtins__ = private_builtins.table

import gc
import io
import os
import struct
import sys
from resource import RLIMIT_NOFILE, getrlimit

import ending
import exception_report
import main_module
import process_state
import task_frame

_NAME = ".scriptd-rehearsal.py"

_SOURCE = b'''
import os, sys
import json as _absent_or_not
from collections import OrderedDict

class Base:
    """Docs."""
    limit = 3
    def __init__(self, name, *rest, key=None, **more):
        self.name, self.rest, self.key, self.more = name, rest, key, more
    @property
    def title(self):
        return self.name.title()
    @classmethod
    def make(cls, name):
        return cls(name, 1, 2, key=3, other=4)
    def __repr__(self):
        return "%s(%r)" % (type(self).__name__, self.name)

class Derived(Base):
    def __repr__(self):
        return "<" + super().__repr__() + ">"
    def __enter__(self):
        return self
    def __exit__(self, *details):
        return False

def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)

def numbers(count):
    for number in range(count):
        yield number

def decorated(function):
    def inner(*arguments, **named):
        return function(*arguments, **named)
    return inner

@decorated
def add(a, b=1):
    return a + b

total = 0
for i in range(300):
    total += i * i % 7
words = "the quick brown fox jumps over the lazy dog".split()
counts = {}
for word in words * 20:
    counts[word] = counts.get(word, 0) + 1
ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
squares = [x * x for x in range(200)]
table = {x: str(x) for x in range(200)}
unique = {x % 17 for x in squares}
objects = [Derived.make(word) for word in words * 10]
text = ", ".join(f"{o.title:>10}|{o!r}|{i:05.2f}" for i, o in enumerate(objects))
print(text, fibonacci(10), add(1, b=2), list(numbers(5)), sum(squares), max(table), file=out)
print("%d %s %5.1f %x" % (1, "two", 3.0, 255), "{} {name}".format(1, name=2), file=out)
print(ordered, unique, 2 ** 200, 1 / 3, b"bytes".hex(), "umlaut \\u00fc", file=out)
try:
    {}["missing"]
except KeyError as error:
    print(repr(error), error.args, file=out)
try:
    int("x")
except (ValueError, TypeError) as error:
    print(error, file=out)
finally:
    total = 0
with Derived("file") as derived:
    first, *others = words
values = bytearray(20000)
big = "x" * 20000
lines = big.replace("x", "y\\n").splitlines()
if "re" in sys.modules:
    import re
    print(re.sub(r"(\\\\w+)@(\\\\w+)", r"\\\\2", "me@example you@there"), file=out)
if "json" in sys.modules:
    import json
    json.loads(json.dumps({"a": [1, 2.5, None, True], "b": {"c": "text"}}, indent=1))
with open(os.devnull, "a", encoding="utf-8") as file:
    file.write("# end\\\\n")
with open(os.devnull, encoding="utf-8") as file:
    file.read()
os.path.exists(os.path.join(os.getcwd(), "x"))
out.flush()

def fail(depth):
    local = [depth]
    return fail(depth - 1) if depth else 1 / 0
fail(3)
'''


def rehearse(names):
    """names: of the entries of a `__main__`, in their order."""
    streams = sys.stdout, sys.stderr
    modules = set(sys.modules)
    main = sys.modules["__main__"]
    with open(os.devnull, "w") as nowhere:
        try:
            sys.stdout = sys.stderr = nowhere
            _run(names, nowhere)
        finally:
            sys.stdout, sys.stderr = streams
            sys.modules["__main__"] = main
    for name in ("last_type", "last_value", "last_traceback", "last_exc"):
        sys.__dict__.pop(name, None)
    for name in set(sys.modules) - modules:
        del sys.modules[name]
    gc.collect()


def _run(names, nowhere):
    frame = task_frame.decode(_encoded_frame())
    process_state.replace_environment(
        [name + b"=" + value for name, value in os.environb.items()]
    )
    process_state.lower_limits([(RLIMIT_NOFILE, *getrlimit(RLIMIT_NOFILE))])
    path = main_module.script_path(_NAME)
    source = frame.files[0][2]
    main_module.fresh_main(path, names).__dict__["out"] = _Both(nowhere)
    error = main_module.run(source, path)
    reporter = exception_report.Reporter(os.getcwd(), path, source, True)
    ending.print_uncaught(error, lambda error, tb: reporter._encode(error, tb))


class _Both(io.StringIO):
    """Keeps what is written, and writes it to a descriptor as well."""

    def __init__(self, stream):
        super().__init__()
        self.stream = stream

    def write(self, text):
        self.stream.write(text)
        return super().write(text)


def _encoded_frame():
    parts = [struct.pack("<II", task_frame.MAGIC, 0)]
    for strings in ([_NAME.encode(), b"argument"], [b"A=b"]):
        parts.append(struct.pack("<I", len(strings)))
        parts += [_encoded_string(text) for text in strings]
    parts.append(struct.pack("<I", 0))
    parts.append(struct.pack("<I", 1))
    parts += [_encoded_string(_NAME.encode()), struct.pack("<I", 0o600), _encoded_string(_SOURCE)]
    return b"".join(parts)


def _encoded_string(data):
    return struct.pack("<I", len(data)) + data + b"\0"
