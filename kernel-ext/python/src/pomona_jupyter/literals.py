"""Python values as TypeScript, and how a value fits the variable that a notebook declares."""

from __future__ import annotations

import datetime
import json
import math
import os
import re
from typing import Any

from .declarations import Declaration

#: Beyond it a number is not exact, and a bigint is meant.
MAX_SAFE_INTEGER = 2**53 - 1

#: Words that no variable can be called, in a module, where `await` is one of them.
RESERVED = frozenset(
    "arguments await break case catch class const continue debugger default delete do else enum eval export extends false "
    "finally for function if implements import in instanceof interface let new null package private protected public return "
    "static super switch this throw true try typeof var void while with yield".split()
)


class ParameterError(ValueError):
    """A parameter that cannot be set: its name, its value, or the two types do not go together."""

    def __init__(self, message: str, remedy: str | None = None) -> None:
        super().__init__(message if remedy is None else f"{message}\n{remedy}")
        self.message = message
        self.remedy = remedy


def check_name(name: str) -> str:
    """:raises ParameterError: for a name that no variable can have"""
    if not name.replace("$", "_").isidentifier():
        raise ParameterError(f"{_quote(name)} is not a name that a variable can have.")
    if name in RESERVED:
        raise ParameterError(f"{_quote(name)} is a word of the language; no variable can be called so.")
    return name


def literal(value: Any) -> str:
    """A value as a TypeScript expression.

    :raises ParameterError: for a value of a type that has no counterpart
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(int(value)) if abs(value) <= MAX_SAFE_INTEGER else f"{int(value)}n"
    if isinstance(value, float):
        return _float(float(value))
    if isinstance(value, str):
        return _quote(value)
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return _quote(value.isoformat())
    if isinstance(value, os.PathLike):
        return _quote(os.fsdecode(value))
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(key)}: {literal(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(literal(item) for item in value) + "]"
    if isinstance(value, (set, frozenset)):
        return "[" + ", ".join(sorted(literal(item) for item in value)) + "]"
    # numpy's scalars and arrays
    if hasattr(value, "tolist"):
        return literal(value.tolist())
    raise ParameterError(f"A value of type {type(value).__name__} has no counterpart in TypeScript: {value!r}.")


def assignment(name: str, value: Any, declaration: Declaration | None = None) -> str:
    """The statement that sets a parameter, with the type that the notebook declares for it.

    :raises ParameterError: for a name that no variable can have, or a value of another type than the declared one
    """
    annotation = f": {declaration.type}" if declaration is not None and declaration.type else ""
    return f"let {check_name(name)}{annotation} = {_fitted(value, declaration)};"


def _fitted(value: Any, declaration: Declaration | None) -> str:
    """Text becomes what the declared type makes of it; what cannot be assigned to it is refused here, not by a later cell."""
    kind = kind_of(declaration)
    if declaration is None or kind is None or value is None:
        return literal(value)
    if kind == "json" and isinstance(value, str):
        value = _parse_json(value)
    if kind == "boolean" and isinstance(value, str) and value in ("true", "false"):
        value = value == "true"
    if kind == "bigint" and _is_whole(value):
        return f"{int(value)}n"
    if _kind_of_value(value) in (kind, None):
        return literal(value)
    given = _kind_of_value(value)
    raise ParameterError(
        f"The parameter {declaration.name} is {_KINDS[kind]} in the notebook, and {literal(value)} is {_KINDS[given]}.",
        f"-r {declaration.name} {literal(value)} passes it as text." if kind == "string" else None,
    )


_KINDS = {
    "string": "text",
    "number": "a number",
    "boolean": "true or false",
    "bigint": "a bigint",
    "json": "an array or object",
}


def kind_of(declaration: Declaration | None) -> str | None:
    """What a parameter holds, by its declared type, else by its default; None where neither tells."""
    if declaration is None:
        return None
    if declaration.type is not None:
        plain = re.sub(r"^readonly\s+", "", declaration.type)
        if plain in ("string", "number", "boolean", "bigint"):
            return plain
        # A union may hold anything.
        if "|" not in plain and (plain.endswith("]") or plain.startswith("{") or re.match(r"(?:Readonly)?Array<", plain)):
            return "json"
        return None
    default = declaration.default or ""
    if re.fullmatch(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|`(?:[^`\\$]|\\.|\$(?!\{))*`", default):
        return "string"
    if re.fullmatch(r"[+-]?\d[\d_]*n", default):
        return "bigint"
    if re.fullmatch(r"[+-]?(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?|[+-]?(?:NaN|Infinity)", default):
        return "number"
    if default in ("true", "false"):
        return "boolean"
    if re.fullmatch(r"\[.*\]|\{.*\}", default, re.S):
        return "json"
    return None


def _kind_of_value(value: Any) -> str | None:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "number" if abs(value) <= MAX_SAFE_INTEGER else "bigint"
    if isinstance(value, float):
        return "number"
    if isinstance(value, (dict, list, tuple, set, frozenset)):
        return "json"
    if isinstance(value, (str, os.PathLike, datetime.date, datetime.time)):
        return "string"
    return None


def _is_whole(value: Any) -> bool:
    if isinstance(value, float):
        return value.is_integer() and abs(value) <= MAX_SAFE_INTEGER
    return isinstance(value, int) and not isinstance(value, bool)


def _parse_json(text: str) -> Any:
    """An array or object as JavaScript reads it; text that is no JSON, or JSON of something else, stays text."""

    def number(digits: str) -> int | float:
        value = float(digits)
        return int(digits) if abs(value) <= MAX_SAFE_INTEGER and digits != "-0" else value

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    try:
        value = json.loads(text, parse_int=number, parse_constant=refuse)
    except (ValueError, RecursionError):
        return text
    return value if isinstance(value, (dict, list)) else text


def _float(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return repr(value)


def _quote(text: str) -> str:
    quoted = json.dumps(text, ensure_ascii=False)
    # Line separators, and halves of surrogate pairs, which no file can hold.
    return re.sub("[\u007f\u2028\u2029\ud800-\udfff]", lambda match: f"\\u{ord(match.group()):04x}", quoted)


def _key(key: Any) -> str:
    text = key if isinstance(key, str) else _key_text(key)
    # As a plain key it would set the prototype.
    return '["__proto__"]' if text == "__proto__" else _quote(text)


def _key_text(key: Any) -> str:
    if isinstance(key, (datetime.datetime, datetime.date, datetime.time)):
        return key.isoformat()
    text = literal(key)
    return text.removesuffix("n") if isinstance(key, int) else text
