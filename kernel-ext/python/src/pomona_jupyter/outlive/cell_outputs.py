"""What a cell has shown so far, bounded in bytes."""

from __future__ import annotations

import json
import re
from itertools import groupby
from typing import Any

#: Pieces of a stream are put together up to this many characters, so that little is thrown away at once.
STREAM_PIECE = 8_192
#: A line that is longer than this is no progress that is written over.
LONGEST_LINE = 65_536

SHOWN = ("stream", "display_data", "execute_result", "error")

Message = dict[str, Any]


class CellOutputs:
    """The messages of a cell that would show its outputs again, the latest state of each display among them.

    Beyond ``max_bytes`` the middle goes: the first half of the bound is kept, and what came last.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._items: list[Message] = []
        self._clears_next = False
        #: Where the last stream writes on in its last line. None is at its end.
        self._cursor: int | None = None
        self._bytes = 0
        self._head: int | None = None
        self._left_out = 0

    @property
    def size(self) -> int:
        return self._bytes

    def apply(self, type: str, content: Message) -> bool:
        """Takes in what the kernel sent. True where it changed something."""
        if type == "clear_output":
            if content.get("wait"):
                self._clears_next = True
            else:
                self._clear()
            return True
        if type == "update_display_data":
            return self.update(content)
        if type not in SHOWN:
            return False
        if self._clears_next:
            self._clear()
        if type == "stream":
            self._stream(str(content.get("name", "stdout")), str(content.get("text", "")))
        else:
            self._add({"type": type, "content": content})
        return True

    def update(self, content: Message) -> bool:
        """Shows a display anew, wherever it stands."""
        display = _display_id(content)
        found = [item for item in self._items if display and _display_id(item["content"]) == display]
        for item in found:
            self._bytes -= _bytes_of(item)
            item["content"] = {**item["content"], "data": content.get("data", {}), "metadata": content.get("metadata", {})}
            self._bytes += _bytes_of(item)
        self._bound()
        return bool(found)

    def messages(self) -> list[Message]:
        """What would show it all again, in this order, such that what comes next goes on from there."""
        shown = self._shown()
        if self._cursor is not None and shown and shown[-1]["type"] == "stream":
            text = shown[-1]["content"]["text"]
            line = text[text.rfind("\n") + 1 :]
            shown[-1]["content"]["text"] = f"{text}\r{line[: self._cursor]}"
        if self._clears_next:
            shown.append({"type": "clear_output", "content": {"wait": True}})
        return shown

    def _shown(self) -> list[Message]:
        shown: list[Message] = []
        for name, items in groupby(self._with_note(), lambda item: item["type"] == "stream" and item["content"]["name"]):
            if name is False:
                shown.extend(items)
            else:
                text = "".join(item["content"]["text"] for item in items)
                shown.append({"type": "stream", "content": {"name": name, "text": text}})
        return shown

    def _with_note(self) -> list[Message]:
        if not self._left_out:
            return self._items
        return [*self._items[: self._head], _note(self._left_out, self.max_bytes), *self._items[self._head :]]

    def as_notebook(self) -> list[Message]:
        """The outputs as a notebook's cell has them."""
        return [_notebook_output(message["type"], message["content"]) for message in self._shown()]

    def _stream(self, name: str, text: str) -> None:
        last = self._items[-1] if self._items and len(self._items) != self._head else None
        before = last["content"]["text"] if last and last["type"] == "stream" and last["content"]["name"] == name else ""
        if before and len(before) < (STREAM_PIECE if before.endswith("\n") else LONGEST_LINE):
            self._bytes -= _bytes_of(self._items.pop())
        else:
            before, self._cursor = "", None
        text, cursor = written_over(before, self._cursor, text)
        end = text.rfind("\n") + 1 if len(text) > STREAM_PIECE else 0
        for piece in [text[:end], text[end:]] if 0 < end < len(text) else [text]:
            self._add({"type": "stream", "content": {"name": name, "text": piece}})
        self._cursor = cursor

    def _add(self, item: Message) -> None:
        self._items.append(item)
        self._cursor = None
        self._bytes += _bytes_of(item)
        self._bound()

    def _bound(self) -> None:
        if self._head is None and self._bytes >= self.max_bytes / 2:
            self._head = len(self._items)
        if self._head is None or self._bytes <= self.max_bytes:
            return
        end = self._head
        while self._bytes > self.max_bytes and end < len(self._items) - 1:
            size = _bytes_of(self._items[end])
            self._bytes -= size
            self._left_out += size
            end += 1
        del self._items[self._head : end]

    def _clear(self) -> None:
        self._items = []
        self._clears_next = False
        self._cursor = None
        self._bytes = 0
        self._head = None
        self._left_out = 0


def written_over(before: str, cursor: int | None, text: str) -> tuple[str, int | None]:
    """What JupyterLab makes of a stream's text: ``\\r`` writes over the last line, ``\\b`` takes a character away. Gives where it writes on, too."""
    if cursor is None and "\r" not in text and "\b" not in text:
        return before + text, None
    start = before.rfind("\n") + 1
    done, line = [before[:start]], before[start:]
    at = len(line) if cursor is None else cursor
    for part in re.split("([\n\b\r])", text):
        if part == "\n":
            done.append(f"{line}\n")
            line, at = "", 0
        elif part == "\r":
            at = 0
        elif part == "\b":
            if at > 0:
                line, at = line[: at - 1] + line[at + 1 :], at - 1
        else:
            line = line[:at] + part + line[at + len(part) :]
            at += len(part)
    return "".join([*done, line]), None if at == len(line) else at


def _notebook_output(type: str, content: Message) -> Message:
    output = {"output_type": type, **{name: value for name, value in content.items() if name != "transient"}}
    if type in ("display_data", "execute_result"):
        output = {"output_type": type, "data": content.get("data", {}), "metadata": content.get("metadata", {})}
        if type == "execute_result":
            output["execution_count"] = content.get("execution_count")
    if type == "error":
        output = {"output_type": type, **{name: content.get(name, "") for name in ("ename", "evalue")}}
        output["traceback"] = list(content.get("traceback", []))
    return output


def _display_id(content: Message) -> str | None:
    return (content.get("transient") or {}).get("display_id")


def _bytes_of(item: Message) -> int:
    content = item["content"]
    if item["type"] == "stream":
        return len(content["text"].encode())
    return len(json.dumps(content, default=str))


def _note(left_out: int, kept: int) -> Message:
    text = f"\n[{left_out:,} bytes of output are left out here: of a cell's output {kept:,} bytes are kept for a page that is opened later]\n"
    return {"type": "stream", "content": {"name": "stderr", "text": text}}
