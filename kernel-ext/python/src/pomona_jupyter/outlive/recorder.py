"""One kernel's cells as they run, whoever looks on."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Callable, Protocol

from jupyter_client.session import Session

from .cell_outputs import SHOWN, Message
from .executions import Execution, Executions


#: How long a request that a page has sent may be on its way, after a loss of the page's connection.
ARRIVES_SECONDS = 10.0


class Page(Protocol):
    """A page that shows a notebook of the kernel."""

    path: str
    #: The state of the file that it is based on: its hash, else its time.
    mark: str | None
    #: The session of its own connection to the kernel.
    session: str
    #: The executions that it was told of.
    shown: set[str]

    def tell(self, message: Message) -> None: ...


class Recorder:
    """Listens to what a kernel publishes from the first page on until the kernel ends, and keeps it for each cell.

    It is told of requests by the connections of pages, and holds the line on which the kernel asks for input, so that the answer may
    come from another page than the one that ran the cell.
    """

    def __init__(
        self, kernel_id: str, manager: Any, max_bytes: int, changed: Callable[[Recorder], None], evicted: Callable[[Recorder], None]
    ) -> None:
        self.kernel_id = kernel_id
        self.executions = Executions(max_bytes)
        self.pages: set[Page] = set()
        #: The last known path of each notebook of the kernel.
        self.paths: list[str] = []
        self._manager = manager
        self._changed = changed
        self._evicted = evicted
        self._connections: dict[str, Any] = {}
        self._input_lines: dict[str, Any] = {}
        #: Since when a page's session may have missed something.
        self._lost: dict[str, float] = {}
        #: Requests of which pages were told that they have not arrived.
        self._given_up: set[str] = set()
        #: The requests whose outputs an Output widget of a page takes, by the widget's comm.
        self._captured: dict[str, str] = {}
        self._session = manager.session
        self._listen()

    # What pages' connections tell.

    def opened(self, connection: Any) -> None:
        self._connections[connection.session.session] = connection
        if list(self._manager.ports) != self._ports:
            self._close_streams()
            self._listen()

    def closed(self, connection: Any) -> None:
        session = connection.session.session
        if self._connections.get(session) is connection:
            del self._connections[session]
        self._lost.setdefault(session, time.monotonic())
        # A page that is there all the same misses what comes now.
        for page in [page for page in self.pages if page.session == session]:
            self._take(page)
        self._drop_input_lines()
        self._changed(self)

    def requested(self, header: Message, metadata: Message) -> None:
        """A page asks the kernel to run a cell."""
        cell = metadata.get("cellId")
        if not isinstance(cell, str):
            return
        execution = self.executions.add(str(header["msg_id"]), str(header["session"]), cell)
        execution.is_taken = execution.id in self._given_up
        self._show(execution)

    def is_attended(self, execution: Execution) -> bool:
        """True while the page that ran the cell is there: it shows and saves the outputs."""
        return execution.session in self._connections and not execution.is_taken

    def unsaved(self) -> list[Execution]:
        """What the file lacks and no page will save."""
        return [one for one in self.executions if not one.is_saved and not self.is_attended(one)]

    # Input.

    def input_line(self, session: str) -> Any:
        """The stream on which the kernel asks a page for input."""
        line = self._input_lines.get(session)
        if line is None or line.closed():
            line = self._manager.connect_stdin(identity=session.encode())
            line.channel = "stdin"
            self._input_lines[session] = line
        return line

    def leave_input_line(self, session: str) -> None:
        """The page is gone, its cells may still ask."""
        line = self._input_lines.get(session)
        if line is not None and not line.closed():
            line.on_recv(lambda parts: self.asked(self._session.feed_identities(parts)[1]))

    def asked(self, parts: list[Any]) -> Execution | None:
        """The kernel asks for input: message parts from the signature on."""
        header, parent, _, content = (self._session.unpack(part) for part in parts[1:5])
        execution = self.executions.by_id.get(parent.get("msg_id", ""))
        if header.get("msg_type") != "input_request" or execution is None:
            return None
        execution.input = {"header": header, "content": content}
        self._tell_state(execution)
        return execution

    def answer(self, id: str, value: str) -> None:
        """A page answers in the place of the one that ran the cell."""
        execution = self.executions.by_id.get(id)
        if execution is None or execution.input is None:
            return
        session = Session(config=self._session.config, key=self._session.key, session=execution.session)
        line = self.input_line(execution.session)
        asked = execution.input
        session.send(line, "input_reply", {"status": "ok", "value": value}, parent={"header": asked["header"]})
        self.answered(execution.session)
        # As the page that answers shows it.
        said = "········" if asked["content"].get("password") else value
        execution.outputs.apply("stream", {"name": "stdin", "text": f"{asked['content'].get('prompt', '')} {said}\n"})
        execution.change()

    def answered(self, session: str) -> None:
        for execution in self.executions:
            if execution.session == session and execution.input is not None:
                execution.input = None
                self._tell_state(execution)

    # What the kernel publishes.

    def _listen(self) -> None:
        self._ports = list(self._manager.ports)
        self._stream = self._manager.connect_iopub()
        self._stream.on_recv(self._published)

    def _published(self, raw: list[Any]) -> None:
        _, parts = self._session.feed_identities(raw)
        header, parent = self._session.unpack(parts[1]), self._session.unpack(parts[2])
        type = header.get("msg_type", "")
        execution = self.executions.by_id.get(parent.get("msg_id", "")) if parent else None
        if type == "update_display_data":
            content = self._session.unpack(parts[4])
            for one in self.executions.update_display(content):
                self._changed_by(one, type, content)
        elif type == "status":
            state = self._session.unpack(parts[4]).get("execution_state")
            if state == "starting":
                self.end_all()
            elif execution is not None and state == "idle":
                self._end(execution)
            elif execution is not None and state == "busy" and execution.status == "queued":
                self._begin(execution)
        elif type == "comm_open" or (type == "comm_msg" and self._captured):
            self._note_widget(type, self._session.unpack(parts[4]))
        elif execution is None or (type in SHOWN and execution.id in self._captured.values()):
            return
        elif type == "execute_input":
            execution.count = self._session.unpack(parts[4]).get("execution_count")
            self._begin(execution)
        elif type in SHOWN or type == "clear_output":
            content = self._session.unpack(parts[4])
            if execution.outputs.apply(type, content):
                self._changed_by(execution, type, content)

    def _note_widget(self, type: str, content: Message) -> None:
        """ipywidgets' Output sets ``msg_id`` while it takes what a request shows."""
        comm, data = content.get("comm_id", ""), content.get("data") or {}
        state = data.get("state") or {}
        if type == "comm_open" and state.get("_model_name") == "OutputModel":
            self._captured[comm] = ""
        if comm in self._captured and "msg_id" in state:
            self._captured[comm] = state["msg_id"]

    def _begin(self, execution: Execution) -> None:
        for other in self.executions:
            # Its end was missed: a kernel runs one cell after the other.
            if other.status == "running" and other is not execution:
                self._end(other)
        execution.status = "running"
        self._tell_state(execution)

    def _changed_by(self, execution: Execution, type: str, content: Message) -> None:
        execution.change()
        for page in list(self.pages):
            if _is_own(page, execution):
                continue
            if execution.id in page.shown:
                page.tell({"type": "output", "id": execution.id, "message": {"type": type, "content": content}})
            else:
                self._show(execution, page)
        if self.executions.bound():
            self._evicted(self)
        self._changed(self)

    def end_all(self, is_server_over: bool = False) -> None:
        """The kernel's process is another one, or gone: nothing of before runs on."""
        for execution in self.executions:
            if execution.status == "running" and (is_server_over or not self.is_attended(execution)):
                # A page that is there says so by itself.
                content = {"name": "stderr", "text": "[The kernel ended or was restarted while this cell ran]\n"}
                execution.outputs.apply("stream", content)
                self._changed_by(execution, "stream", content)
            self._end(execution)

    def _end(self, execution: Execution) -> None:
        if execution.status == "ended":
            return
        execution.status = "ended"
        execution.ended_at = time.monotonic()
        execution.input = None
        execution.change()
        self._tell_state(execution)
        self._drop_input_lines()
        self._changed(self)

    # Pages.

    def welcome(self, page: Page) -> None:
        """A page came: it is told what it can't know."""
        self.pages.add(page)
        if page.path not in self.paths:
            self.paths.append(page.path)
        if getattr(self._manager, "execution_state", None) == "idle":
            for execution in self.executions:
                if execution.status == "running":
                    self._end(execution)
        if page.session not in self._connections:
            self._take(page)
        for execution in self.executions:
            if execution.status != "ended" or not execution.is_saved:
                self._show(execution, page)

    def returned(self, page: Page, running: list[str]) -> None:
        """A page that had lost a connection is there again: it is told all that it may have missed, saved or not.

        :param running: the executions that have not come to an end as far as the page knows
        """
        since = self._lost.pop(page.session, float("inf"))
        for execution in self.executions:
            if execution.id in page.shown:
                continue
            if execution.id in running or execution.changed_at >= since:
                execution.is_taken = execution.is_taken or execution.session == page.session
                if execution.id in running:
                    # Where the page has saved the notebook meanwhile, it was without what it missed.
                    execution.saved = -1
                self._show(execution)
        unknown = [id for id in running if id not in self.executions.by_id]
        if unknown:
            asyncio.get_running_loop().call_later(ARRIVES_SECONDS, self._give_up, page, unknown)
        self._changed(self)

    def _give_up(self, page: Page, requests: list[str]) -> None:
        """What the page sent into a connection that was dead already did not arrive."""
        lost = [id for id in requests if id not in self.executions.by_id]
        self._given_up.update(lost)
        if lost:
            page.tell({"type": "lost", "ids": lost})

    def parted(self, page: Page) -> None:
        """A page is gone, or its line is lost."""
        self.pages.discard(page)
        self._lost.setdefault(page.session, time.monotonic())

    def _take(self, page: Page) -> None:
        """The page lost a connection: what it ran is shown to it as to any other page."""
        for execution in self.executions:
            if execution.session == page.session and not execution.is_taken and not execution.is_saved:
                execution.is_taken = True
                self._show(execution)

    def _show(self, execution: Execution, page: Page | None = None) -> None:
        """Tells a page, or all, everything about a cell, in the place of what they had."""
        message = {"type": "show", **execution.state(), "outputs": execution.outputs.messages()}
        # Telling a page whose line is dead takes it away.
        for one in [page] if page else list(self.pages):
            if not _is_own(one, execution):
                one.shown.add(execution.id)
                execution.told_at = time.monotonic()
                one.tell(message)

    def _tell_state(self, execution: Execution) -> None:
        for page in list(self.pages):
            if execution.id in page.shown and not _is_own(page, execution):
                page.tell({"type": "state", **execution.state()})

    # The end.

    def _drop_input_lines(self) -> None:
        """Closes the lines of pages that are gone and none of whose cells can ask any more."""
        waiting = {execution.session for execution in self.executions if execution.status != "ended"}
        for session in [one for one in self._input_lines if one not in waiting and one not in self._connections]:
            _close(self._input_lines.pop(session))

    def _close_streams(self) -> None:
        _close(self._stream)
        for line in self._input_lines.values():
            _close(line)
        self._input_lines.clear()

    def close(self, is_server_over: bool = False) -> None:
        self.end_all(is_server_over)
        self._close_streams()


def _is_own(page: Page, execution: Execution) -> bool:
    """True for what the page ran and has followed ever since."""
    return execution.session == page.session and not execution.is_taken


def _close(stream: Any) -> None:
    if not stream.closed():
        stream.on_recv(None)
        stream.close()
