"""A page's connection to a kernel that tells the recorder of it."""

from __future__ import annotations

import json
from typing import Any

from jupyter_server.services.kernels.connection.base import deserialize_binary_message, deserialize_msg_from_ws_v1

from .keeper import OutputKeeper

V1 = "v1.kernel.websocket.jupyter.org"


def recorded(base: type, keeper: OutputKeeper) -> type:
    """The server's class of connections, with a recorder that is told."""

    class RecordedConnection(base):  # type: ignore[misc,valid-type]
        recorder: Any = None

        def create_stream(self) -> None:
            super().create_stream()
            # One line for each session, which stays when the page goes. It is made anew so that two never have one identity.
            own = self.channels.pop("stdin")
            own.close()
            self._recorder()
            self.channels["stdin"] = self.recorder.input_line(self.session.session)

        def connect(self) -> Any:
            self._recorder().opened(self)
            connected = super().connect()
            if self.channels and "stdin" not in self.channels:
                self.channels["stdin"] = self.recorder.input_line(self.session.session)
            return connected

        def disconnect(self) -> Any:
            if self.recorder is not None and self.channels.pop("stdin", None) is not None:
                self.recorder.leave_input_line(self.session.session)
            result = super().disconnect()
            if self.recorder is not None:
                self.recorder.closed(self)
            return result

        def handle_incoming_message(self, incoming_msg: Any) -> None:
            if self.recorder is not None:
                self._note(incoming_msg)
            super().handle_incoming_message(incoming_msg)

        def handle_outgoing_message(self, stream: Any, outgoing_msg: list[Any]) -> None:
            if getattr(stream, "channel", stream) == "stdin" and self.recorder is not None:
                self.recorder.asked(self.session.feed_identities(list(outgoing_msg))[1])
            super().handle_outgoing_message(stream, outgoing_msg)

        def _recorder(self) -> Any:
            if self.recorder is None:
                self.recorder = keeper.recorder(self.kernel_id)
            return self.recorder

        def _note(self, incoming: Any) -> None:
            """Looks at the requests that matter, and at no other's content."""
            if self.subprotocol == V1:
                channel, parts = deserialize_msg_from_ws_v1(incoming)
                if channel not in ("shell", "stdin"):
                    return
                header, metadata = json.loads(parts[0]), parts[2]
            else:
                message = deserialize_binary_message(incoming) if isinstance(incoming, bytes) else json.loads(incoming)
                header, metadata = message["header"], message.get("metadata") or {}
            if header["msg_type"] == "execute_request":
                self.recorder.requested(header, json.loads(metadata) if isinstance(metadata, bytes) else metadata)
            elif header["msg_type"] == "input_reply":
                self.recorder.answered(self.session.session)

    return RecordedConnection
