"""JSON of strings, numbers, lists and dictionaries with string keys.

Not the module json, which a script may have changed by the time that it is needed.
"""
import private_builtins

__builtins__ = private_builtins.table

try:
    from _json import encode_basestring as _quoted
except ImportError:
    from json.encoder import py_encode_basestring as _quoted


def json_text(value):
    """The JSON of a value of exactly these types: dict, list, str, int."""
    kind = type(value)
    if kind is str:
        # A lone surrogate is no UTF-8; stderr shows it like this too.
        return _quoted(value.encode("utf-8", "backslashreplace").decode("utf-8"))
    if kind is int:
        return "%d" % value
    if kind is list:
        return "[" + ",".join([json_text(item) for item in value]) + "]"
    return "{" + ",".join([json_text(key) + ":" + json_text(value[key]) for key in value]) + "}"
