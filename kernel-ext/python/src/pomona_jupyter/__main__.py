"""Answers ``pomona run``, which sets parameters by the same rules as papermill: one object of JSON in, one out.

Needs nothing but Python, so that it runs from the npm package in any Python that has Jupyter.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from .declarations import read_declarations
from .literals import ParameterError, assignment


def answer(cell: str, typed: list[list[str]], raw: list[list[str]]) -> dict[str, Any]:
    """The names that a parameters cell declares, and the statements that set the given ones; or why they cannot be set."""
    declared = {declaration.name: declaration for declaration in read_declarations(cell)}
    values = {**{name: value_of_text(text) for name, text in typed}, **dict(raw)}
    try:
        lines = [assignment(name, value, declared.get(name)) for name, value in values.items()]
    except ParameterError as error:
        return {"error": error.message, "remedy": error.remedy}
    return {"declared": list(declared), "lines": lines}


def value_of_text(text: str) -> Any:
    """What papermill makes of the text after ``-p name``: ``True``, ``False``, ``None``, Python's numbers, else text."""
    words = {"True": True, "False": False, "None": None}
    if text in words:
        return words[text]
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            pass
    return text


if __name__ == "__main__":
    json.dump(answer(**json.load(sys.stdin.buffer)), sys.stdout)
