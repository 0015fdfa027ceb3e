"""Texts of values, short, and made without running any code of the script.

A class of the script may have a __repr__ that hangs, raises or lies, so none is called: only exact
built-in types are looked into, and of other objects the type and the instance attributes are told.
"""
import private_builtins

__builtins__ = private_builtins.table

from types import (
    BuiltinFunctionType, CodeType, FunctionType, GetSetDescriptorType, MethodType, ModuleType,
)

TEXT_CHARACTERS_MAX = 200
ITEMS_MAX = 8
DEPTH_MAX = 3
INTEGER_BITS_MAX = 512

_type_name = type.__dict__["__name__"].__get__
_type_order = type.__dict__["__mro__"].__get__
_type_attributes = type.__dict__["__dict__"].__get__
_function_code = FunctionType.__dict__["__code__"].__get__
_method_function = MethodType.__dict__["__func__"].__get__
_module_attributes = ModuleType.__dict__["__dict__"].__get__
_plain = (bool, type(None), float, complex, type(Ellipsis), type(NotImplemented), range)
_brackets = {
    list: ("[", "]", "[]"),
    tuple: ("(", ")", "()"),
    set: ("{", "}", "set()"),
    frozenset: ("frozenset({", "})", "frozenset()"),
}


def clip(text, characters=TEXT_CHARACTERS_MAX):
    """At most so many characters, the end replaced by '...' if need be."""
    return text if len(text) <= characters else text[: characters - 3] + "..."


def type_name(value):
    """The name of the value's type, whatever its metaclass says."""
    return _type_name(type(value))


def bounded_repr(value):
    """A text of at most TEXT_CHARACTERS_MAX characters."""
    try:
        return clip(_text(value, DEPTH_MAX))
    except Exception:
        # E.g. another thread has just changed it. What it is can still be told.
        return "<%s>" % clip(type_name(value), 100)


def _text(value, depth):
    kind = type(value)
    if kind in _plain:
        return repr(value)
    if kind is int:
        bits = int.bit_length(value)
        return repr(value) if bits <= INTEGER_BITS_MAX else "<int of %d bits>" % bits
    if kind is str or kind is bytes or kind is bytearray:
        return _string_text(value)
    if kind in _brackets:
        return _items_text(value, kind, depth)
    if kind is dict:
        return _dict_text(value, depth)
    return _object_text(value, kind, depth)


def _string_text(value):
    if len(value) <= TEXT_CHARACTERS_MAX:
        return repr(value)
    return repr(value[:TEXT_CHARACTERS_MAX]) + "..."


def _items_text(value, kind, depth):
    opening, closing, empty = _brackets[kind]
    if not value:
        return empty
    if depth == 0:
        return opening + "..." + closing
    texts = _first(value, lambda item: _text(item, depth - 1))
    if kind is tuple and len(value) == 1:
        closing = ",)"
    return opening + ", ".join(texts) + closing


def _dict_text(value, depth):
    if value and depth == 0:
        return "{...}"
    pair = lambda item: _text(item[0], depth - 1) + ": " + _text(item[1], depth - 1)
    return "{" + ", ".join(_first(value.items(), pair)) + "}"


def _first(items, text):
    texts = []
    for item in items:
        if len(texts) == ITEMS_MAX:
            texts.append("...")
            break
        texts.append(text(item))
    return texts


def _object_text(value, kind, depth):
    name = clip(_type_name(kind), 60)
    if kind is FunctionType:
        return "<function %s>" % _code_name(_function_code(value))
    if kind is MethodType:
        function = _method_function(value)
        plain = type(function) is FunctionType
        return "<method %s>" % (_code_name(_function_code(function)) if plain else "")
    if kind is ModuleType:
        module = _module_attributes(value).get("__name__")
        return "<module %s>" % (_string_text(module) if type(module) is str else "")
    if kind is BuiltinFunctionType or kind is CodeType:
        return clip(repr(value))
    if type in _type_order(kind):
        return "<class %s>" % clip(_type_name(value), 100)
    attributes = _instance_attributes(value, kind)
    if not attributes or depth == 0:
        return "<%s object>" % name
    attribute = lambda item: "%s=%s" % (_key_text(item[0]), _text(item[1], depth - 1))
    return "<%s object: %s>" % (name, ", ".join(_first(attributes.items(), attribute)))


def _key_text(key):
    return key if type(key) is str else "?"


def _code_name(code):
    return clip(code.co_name, 100)


def _instance_attributes(value, kind):
    """The instance's own __dict__, got as the interpreter gets it, past any property."""
    for base in _type_order(kind):
        descriptor = _type_attributes(base).get("__dict__")
        if type(descriptor) is GetSetDescriptorType and base is not type:
            attributes = descriptor.__get__(value)
            return attributes if type(attributes) is dict else None
    return None
