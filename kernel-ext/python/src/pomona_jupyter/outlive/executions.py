"""The cells that a kernel was asked to run, with what each has shown."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, Literal

from .cell_outputs import CellOutputs, Message


@dataclass(eq=False)
class Execution:
    """A cell that a page asked a kernel to run."""

    id: str
    #: The session of the page that asked.
    session: str
    cell: str
    outputs: CellOutputs
    status: Literal["queued", "running", "ended"] = "queued"
    count: int | None = None
    #: The kernel's request for input that has no answer yet.
    input: Message | None = None
    #: Grows with each change.
    version: int = 0
    #: The version that the notebook's file has.
    saved: int = -1
    ended_at: float = 0
    changed_at: float = 0
    #: When a page was told all of it.
    told_at: float = 0
    #: When the server put it into the file.
    put_at: float = float("-inf")
    #: The page that asked lost its connection meanwhile, and is told all as any other page is.
    is_taken: bool = False

    @property
    def is_saved(self) -> bool:
        return self.saved == self.version

    @property
    def is_put(self) -> bool:
        return self.put_at > float("-inf")

    def change(self) -> None:
        self.version += 1
        self.changed_at = time.monotonic()

    def state(self) -> Message:
        """What a page is told beside the outputs."""
        asks = None if self.input is None else {"header": self.input["header"], "content": self.input["content"]}
        return {"id": self.id, "cell": self.cell, "status": self.status, "count": self.count, "input": asks}


@dataclass
class Executions:
    """The latest execution of each cell; the bytes of all are bounded, the oldest that are over and saved go first."""

    max_bytes: int
    by_id: dict[str, Execution] = field(default_factory=dict)

    def __iter__(self):
        return iter(list(self.by_id.values()))

    def add(self, id: str, session: str, cell: str) -> Execution:
        for other in self:
            if other.cell == cell:
                self.forget(other)
        execution = Execution(id, session, cell, CellOutputs(self.max_bytes // 4))
        self.by_id[id] = execution
        return execution

    def forget(self, execution: Execution) -> None:
        self.by_id.pop(execution.id, None)

    def update_display(self, content: dict[str, Any]) -> list[Execution]:
        """Shows a display anew in all cells that show it. Returns these."""
        return [execution for execution in self if execution.outputs.update(content)]

    def bound(self) -> list[Execution]:
        """Returns those that went though the server has written them."""
        gone: list[Execution] = []
        total = sum(execution.outputs.size for execution in self)
        # Those whose file has it all are of use only to late updates of their displays.
        for execution in sorted(self, key=lambda one: not one.is_saved):
            if total <= self.max_bytes:
                break
            if execution.status == "ended":
                total -= execution.outputs.size
                self.forget(execution)
                gone.append(execution)
        return [execution for execution in gone if execution.is_put]
