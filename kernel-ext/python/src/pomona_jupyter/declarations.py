"""Reads the variables that a parameters cell declares: name, type, default, comment."""

from __future__ import annotations

import re
from dataclasses import dataclass

_IDENTIFIER = r"[^\W\d$][\w$]*|\$[\w$]*"
_START = re.compile(r"(?:^|(?<=[;\n}]))[^\S\n]*(?:export\s+)?(?:let|const|var)\s+(?=[\w$])")
_HEAD = re.compile(rf"\s*({_IDENTIFIER})\s*(?:(!?:)|=|$)")
_EQUALS = re.compile(r"(?<![=!<>])=(?![=>])")
_OPEN_END = re.compile(r"[=|&:,+\-*/?<.(]$")
_OPEN_START = re.compile(r"^[=|&:,.?+\-*/)\]]")


@dataclass(frozen=True)
class Declaration:
    """One variable: ``let n: number = 5; // how many`` has the type ``number``, the default ``5`` and this help."""

    name: str
    #: As written; None where there is none.
    type: str | None
    #: As written; None where there is none.
    default: str | None
    help: str


def read_declarations(source: str) -> list[Declaration]:
    """The variables declared at the top level of a cell, the last of a name alone."""
    source = source.replace("\r\n", "\n")
    code, shape = _mask(source)
    found: dict[str, Declaration] = {}
    for start in _START.finditer(shape):
        end = _end_of_statement(shape, start.end())
        help_text = _comment_beside(source, shape, start.start(), end)
        for first, last in _declarators(shape, start.end(), end):
            declaration = _declarator(code[first:last], shape[first:last], help_text)
            if declaration is not None:
                found.pop(declaration.name, None)
                found[declaration.name] = declaration
    return list(found.values())


def _declarator(code: str, shape: str, help_text: str) -> Declaration | None:
    head = _HEAD.match(shape)
    if head is None:
        return None
    equals = _EQUALS.search(shape, head.end(1))
    default = re.sub(r"\s*\n\s*", " ", code[equals.end() :]).strip() if equals else None
    annotation = code[head.end(2) : equals.start() if equals else len(code)] if head.group(2) else ""
    return Declaration(head.group(1), re.sub(r"\s+", " ", annotation).strip() or None, default or None, help_text)


def _declarators(shape: str, start: int, end: int) -> list[tuple[int, int]]:
    """``a = 1, b: Map<string, number>`` is two: what does not begin like one belongs to the one before."""
    parts: list[tuple[int, int]] = []
    at = start
    for piece in shape[start:end].split(","):
        if parts and _HEAD.match(piece) is None:
            parts[-1] = (parts[-1][0], at + len(piece))
        else:
            parts.append((at, at + len(piece)))
        at += len(piece) + 1
    return parts


def _end_of_statement(shape: str, start: int) -> int:
    for stop in re.finditer(r"[;\n]", shape[start:]):
        end = start + stop.start()
        if stop.group() == ";":
            return end
        if not _OPEN_END.search(shape[start:end].rstrip()) and not _OPEN_START.match(shape[end:].lstrip()):
            return end
    return len(shape)


def _comment_beside(source: str, shape: str, start: int, end: int) -> str:
    """The comment behind a statement on its line, else the ones on the lines above."""
    behind = re.match(r";?[^\S\n]*(?://([^\n]*)|/\*(.*?)\*/[^\S\n]*(?:\n|$))", source[end:], re.S)
    if behind is None:
        # Without a semicolon, the statement's end lies behind its comment.
        last_line = source[:end].rpartition("\n")[2]
        masked = shape[:end].rpartition("\n")[2]
        comment = last_line[len(masked.rstrip()) :].strip()
        behind = re.match(r"//([^\n]*)$|/\*(.*)\*/$", comment)
    if behind is not None:
        return _unwrap(behind.group(1) or behind.group(2) or "")
    above: list[str] = []
    for line in reversed(source[:start].rstrip(" \t").removesuffix("\n").split("\n")):
        comment = re.match(r"\s*//(.*)$", line) or re.match(r"\s*/\*+(.*)\*/\s*$", line)
        if comment is None:
            break
        above.insert(0, comment.group(1))
    return _unwrap(" ".join(above))


def _unwrap(comment: str) -> str:
    return " ".join(re.sub(r"^\s*\*+", "", line).strip() for line in comment.split("\n")).strip()


def _mask(source: str) -> tuple[str, str]:
    """Two texts as long as the source: without comments; and also without what is in strings and brackets."""
    code, shape = list(source), list(source)
    depth = 0
    i = 0
    while i < len(source):
        char = source[i]
        end = i + 1
        if source.startswith("//", i):
            end = source.find("\n", i)
            end = len(source) if end < 0 else end
            code[i:end] = shape[i:end] = " " * (end - i)
        elif source.startswith("/*", i):
            end = source.find("*/", i + 2)
            end = len(source) if end < 0 else end + 2
            blank = re.sub(r"[^\n]", " ", source[i:end])
            code[i:end] = shape[i:end] = blank
            if depth > 0:
                shape[i:end] = "b" * (end - i)
        elif char in "\"'`" or (char == "/" and _begins_regex(source, i)):
            end = _end_of_string(source, i)
            shape[i:end] = "s" * (end - i)
        else:
            if char in ")]}":
                depth = max(0, depth - 1)
            if depth > 0:
                shape[i] = "b"
            if char in "([{":
                depth += 1
        i = end
    return "".join(code), "".join(shape)


def _begins_regex(source: str, at: int) -> bool:
    return re.search(r"[=(,:]\s*$", source[:at]) is not None


def _end_of_string(source: str, start: int) -> int:
    quote = source[start]
    i = start + 1
    while i < len(source):
        if source[i] == "\\":
            i += 2
        elif source[i] == quote:
            return i + 1
        elif quote == "`" and source.startswith("${", i):
            i = _end_of_substitution(source, i + 2)
        elif quote != "`" and source[i] == "\n":
            return i
        else:
            i += 1
    return len(source)


def _end_of_substitution(source: str, start: int) -> int:
    depth = 1
    i = start
    while i < len(source) and depth > 0:
        if source[i] in "\"'`":
            i = _end_of_string(source, i)
            continue
        depth += {"{": 1, "}": -1}.get(source[i], 0)
        i += 1
    return i
