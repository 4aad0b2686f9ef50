"""What pomona_jupyter.outlive does without a server: run by outlive.e2e.test.ts, it prints "all held" at the end."""

import asyncio
import os
import tempfile
import time
from types import SimpleNamespace

import nbformat
from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager
from nbformat.v4 import new_code_cell, new_notebook
from pomona_jupyter.outlive.cell_outputs import CellOutputs
from pomona_jupyter.outlive.executions import Executions
from pomona_jupyter.outlive.notebook_file import NotebookFiles, note_save
from pomona_jupyter.outlive.recorder import Recorder


def stream(outputs, text, name="stdout"):
    outputs.apply("stream", {"name": name, "text": text})


def display(text, id=None):
    return {"data": {"text/plain": text}, "metadata": {}, **({"transient": {"display_id": id}} if id else {})}


def kinds_of_output():
    outputs = CellOutputs(1_000_000)
    stream(outputs, "a\n")
    stream(outputs, "b\n")
    stream(outputs, "bad\n", "stderr")
    outputs.apply("display_data", display("0 %", "bar"))
    outputs.apply("execute_result", {**display("end"), "execution_count": 3})
    outputs.apply("update_display_data", display("100 %", "bar"))
    assert not outputs.apply("update_display_data", display("other", "none"))
    outputs.apply("error", {"ename": "E", "evalue": "v", "traceback": ["t"], "status": "error"})
    saved = outputs.as_notebook()
    notebook = new_notebook(cells=[new_code_cell("1", outputs=[nbformat.from_dict(one) for one in saved])])
    nbformat.validate(notebook)
    assert [one["output_type"] for one in saved] == ["stream", "stream", "display_data", "execute_result", "error"], saved
    assert saved[0]["text"] == "a\nb\n" and saved[2]["data"] == {"text/plain": "100 %"}, saved
    outputs.apply("clear_output", {"wait": True})
    # A page that comes now clears them by what comes next, too; the file has them still.
    assert len(outputs.as_notebook()) == 5 and outputs.messages()[5] == {"type": "clear_output", "content": {"wait": True}}
    stream(outputs, "new")
    assert [one["text"] for one in outputs.as_notebook()] == ["new"]
    outputs.apply("clear_output", {"wait": False})
    assert outputs.messages() == [] and outputs.size == 0


def progress():
    """As JupyterLab shows and saves it: what was written over is gone, however long it goes on."""
    outputs = CellOutputs(100_000)
    stream(outputs, "begin\n")
    for n in range(60_000):
        stream(outputs, f"\r{n / 600:.1f} % of the images")
    stream(outputs, "\b\b!\rend")
    text = "".join(one["text"] for one in outputs.as_notebook())
    assert text == "begin\nend.0 % of the imag!", text
    # Who sees it anew goes on where it stood.
    assert outputs.messages()[0]["content"]["text"] == f"{text}\rend"
    stream(outputs, "ed\n")
    stream(outputs, "next")
    assert [one["text"] for one in outputs.as_notebook()] == ["begin\nended % of the imag!\nnext"], outputs.as_notebook()
    assert outputs.size < 1_000


def long_lines():
    outputs = CellOutputs(10_000_000)
    for _ in range(100):
        stream(outputs, "x" * 50_000)
    assert outputs.as_notebook()[0]["text"] == "x" * 5_000_000 and outputs.size == 5_000_000


def bounds():
    outputs = CellOutputs(100_000)
    for n in range(20_000):
        stream(outputs, f"{n:09}\n")
    text = "".join(one["text"] for one in outputs.as_notebook() if one["name"] == "stdout")
    assert outputs.size <= 100_000 and text.startswith("000000000\n000000001\n") and text.endswith("000019999\n")
    note = [one["text"] for one in outputs.as_notebook() if one["name"] == "stderr"]
    assert len(note) == 1 and "bytes of output are left out here" in note[0], note
    executions = Executions(100_000)
    for n in range(40):
        one = executions.add(f"id-{n}", "session", f"cell-{n}")
        stream(one.outputs, "x" * 10_000)
        one.status = "ended"
        one.saved = one.version if n % 2 else -1
        executions.bound()
    assert sum(one.outputs.size for one in executions) <= 100_000
    assert not any(one.is_saved for one in executions)


async def files():
    with tempfile.TemporaryDirectory() as folder:
        contents = AsyncLargeFileManager(root_dir=folder)
        path = os.path.join(folder, "a.ipynb")
        nbformat.write(new_notebook(cells=[new_code_cell("1", id="one"), new_code_cell("2", id="two")]), path)
        loaded = await contents.get("a.ipynb", type="notebook", require_hash=True)
        files = NotebookFiles(contents)
        files.watch()
        executions = Executions(1_000_000)
        one, gone = executions.add("1", "s", "one"), executions.add("2", "s", "not there")
        stream(one.outputs, "early")
        assert await files.put("a.ipynb", [one, gone]) == [one] and one.is_saved and not gone.is_saved
        one.version += 1
        stream(one.outputs, ", late")
        one.status, one.count = "ended", 7
        await files.put("a.ipynb", [one])
        cell = nbformat.read(path, 4).cells[0]
        assert cell.outputs[0].text == "early, late" and cell.execution_count == 7, cell
        # A page that loaded it before either of the server's saves is on top of both.
        told = files.told("a.ipynb", loaded["hash"])
        now = await contents.get("a.ipynb", content=False, require_hash=True)
        assert told["file"]["hash"] == now["hash"] and files.told("a.ipynb", now["hash"]) is None
        # Once another page has saved, it is not.
        model = await contents.get("a.ipynb", type="notebook")
        model["content"].cells[1].source = "3"
        saves = []
        files.on_saved = lambda path, notebook: saves.append(path)
        await contents.save({"type": "notebook", "format": "json", "content": model["content"]}, "a.ipynb")
        assert saves == ["a.ipynb"] and files.told("a.ipynb", loaded["hash"]) is None
        # Saves that come at once wait for each other: neither the page's source nor the server's output is lost.
        model["content"].cells[1].source = "4"
        one.version += 1
        stream(one.outputs, "!")
        await asyncio.gather(
            contents.save({"type": "notebook", "format": "json", "content": model["content"]}, "a.ipynb"),
            files.put("a.ipynb", [one]),
        )
        cells = nbformat.read(path, 4).cells
        assert cells[1].source == "4" and cells[0].outputs[0].text == "early, late!", cells


def saves_of_pages():
    executions = Executions(1_000_000)
    seen, cleared, fresh, running, gone = (executions.add(name, "s", name) for name in ("a", "b", "c", "d", "e"))
    for n, one in enumerate((seen, cleared, fresh, gone)):
        one.status, one.count, one.version = "ended", n + 1, 1
    fresh.ended_at = float("inf")
    cells = [{"id": "a", "execution_count": 1, "outputs": [1]}, *({"id": id, "execution_count": None, "outputs": []} for id in "bcd")]
    assert note_save(list(executions), {"cells": cells}, lambda one: True) == [gone]
    assert [one.is_saved for one in (seen, cleared, fresh, running)] == [True, True, False, False]
    # A page that saves what it had before the server put the outputs in takes them away: they are put in again.
    seen.put_at, seen.count = time.monotonic(), 9
    note_save([seen], {"cells": cells}, lambda one: True)
    assert not seen.is_saved
    # So does one that comes back later, before it has shown what it missed.
    seen.put_at, seen.saved = time.monotonic() - 60, seen.version
    note_save([seen], {"cells": cells}, lambda one: True)
    assert not seen.is_saved
    cleared.put_at = time.monotonic() - 60
    cleared.told_at, cleared.saved = time.monotonic(), cleared.version
    note_save([cleared], {"cells": cells}, lambda one: True)
    assert not cleared.is_saved


class DeadPage:
    """A page that is taken away as soon as it is told something: its line is dead."""

    path, mark = "a.ipynb", None

    def __init__(self, recorder, session):
        self.recorder, self.session, self.shown = recorder, session, set()

    def tell(self, message):
        self.recorder.parted(self)


def dead_pages():
    manager = SimpleNamespace(session=None, ports=[])
    changed = []
    listen, Recorder._listen = Recorder._listen, lambda self: None
    recorder = Recorder("kernel", manager, 1_000_000, changed.append, lambda one: None)
    Recorder._listen = listen
    mine = recorder.executions.add("request", "s", "a")
    mine.status = "ended"
    connection = SimpleNamespace(session=SimpleNamespace(session="s"))
    recorder._connections["s"] = connection
    recorder.pages = {DeadPage(recorder, "s") for _ in range(8)}
    # Cells that had ended unsaved: who keeps the files is told that no page saves them.
    recorder.closed(connection)
    assert not recorder.pages and changed == [recorder] and recorder.unsaved() == [mine]


kinds_of_output()
dead_pages()
progress()
long_lines()
bounds()
asyncio.run(files())
saves_of_pages()
print("all held")
