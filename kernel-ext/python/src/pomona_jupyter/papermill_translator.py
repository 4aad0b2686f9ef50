"""papermill's parameters in TypeScript notebooks."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from papermill.exceptions import PapermillException
from papermill.models import Parameter
from papermill.translators import Translator, papermill_translators

from .declarations import Declaration, read_declarations
from .literals import ParameterError, assignment, kind_of, literal

#: What the parameters cell declares. papermill inspects that cell right before it asks for the injected one, but does not
#: hand it over, and the declared types are to be kept.
_declared: ContextVar[dict[str, Declaration]] = ContextVar("pomona_declared", default={})


class TypeScriptTranslator(Translator):
    """Writes the cell that sets parameters, and reads the one that declares them."""

    @classmethod
    def translate(cls, val: Any) -> str:
        try:
            return literal(val)
        except ParameterError as error:
            raise PapermillException(str(error)) from None

    @classmethod
    def comment(cls, cmt_str: str) -> str:
        return "\n".join(f"// {line}".rstrip() for line in cmt_str.split("\n"))

    @classmethod
    def assign(cls, name: str, str_val: str) -> str:
        return f"let {name} = {str_val};"

    @classmethod
    def codify(cls, parameters: dict[str, Any], comment: str = "Parameters") -> str:
        declared = _declared.get()
        _declared.set({})
        try:
            lines = [assignment(name, value, declared.get(name)) for name, value in parameters.items()]
        except ParameterError as error:
            raise PapermillException(str(error)) from None
        return "\n".join([cls.comment(comment), *lines]) + "\n"

    @classmethod
    def inspect(cls, parameters_cell: Any) -> list[Parameter]:
        declarations = read_declarations(parameters_cell["source"])
        _declared.set({declaration.name: declaration for declaration in declarations})
        return [
            Parameter(
                name=declaration.name,
                inferred_type_name=declaration.type or _inferred(declaration),
                default=declaration.default or "undefined",
                help=declaration.help,
            )
            for declaration in declarations
        ]


def _inferred(declaration: Declaration) -> str:
    kind = kind_of(declaration)
    return "None" if kind in (None, "json") else kind


class NoSuchStorage:
    """Registered for addresses that nobody writes, so that papermill imports this module; see pyproject.toml."""


for _language in ("typescript", "tslab"):
    papermill_translators.register(_language, TypeScriptTranslator)
