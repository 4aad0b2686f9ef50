"""What runs in an executor's Python worker: as little as there can be, from Python 3.8 on, with pyarrow alone. It is sent as text: see executor-python.ts."""
import collections, gc, io, json, os, platform, shutil, struct, subprocess, sys, threading, types

# As executor-python.ts has it.
FAILED = "POMONA_FAILED "
# What outlives a task, while Spark keeps the Python worker.
kept = sys.modules.setdefault("pomona_kept", types.ModuleType("pomona_kept"))


class Failure(RuntimeError):
    """What goes to the session, as JSON of a RemoteError; where it happened is added before it leaves."""

    def __init__(self, error):
        super().__init__(FAILED + json.dumps(error))
        self.error = error


def failure(name, message, retryable=True):
    return Failure(dict(name=name, message=message, stack="", retryable=retryable))


def place():
    found = dict(host=platform.node())
    try:
        from pyspark import TaskContext
        task = TaskContext.get()
        found.update(stage=task.stageId(), partition=task.partitionId(), attempt=task.attemptNumber())
    except Exception:
        pass
    return found


def die_with_parent():
    try:
        import ctypes
        ctypes.CDLL(None).prctl(1, 9)
    except Exception:
        pass


def files_root():
    try:
        from pyspark import SparkFiles
        return os.path.abspath(SparkFiles.getRootDirectory())
    except Exception:
        return os.getcwd()


def homes():
    return [home for home in (os.environ.get("POMONA_HOME"), "/opt/pomona") if home]


def installed_program(wanted):
    for home in homes():
        for package in (os.path.join(home, "node_modules", "pomona"), home):
            folder = os.path.join(package, "dist", "executor")
            try:
                with open(os.path.join(folder, "about.json")) as about:
                    if json.load(about)["hash"] == wanted["hash"]:
                        return os.path.join(folder, "program.cjs")
            except (OSError, ValueError, KeyError):
                pass
    return None


def version_of(node):
    try:
        said = subprocess.run([node, "--version"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
        return said.stdout.decode().strip().lstrip("v") or (said.stderr.decode("utf8", "replace").strip().splitlines() or [""])[0]
    except (OSError, subprocess.SubprocessError) as problem:
        return str(problem)


def is_enough(version, wanted):
    try:
        return [int(part) for part in version.split(".")[:2]] >= list(wanted)
    except ValueError:
        return False


def find_node(beside, root):
    """The first Node that does, and what there was instead."""
    found = [os.path.join(home, "bin", "node") for home in homes()] + [shutil.which("node")]
    if beside.get("node"):
        found.append(os.path.join(root, beside["node"]))
    others = []
    for node in found:
        if node and os.path.exists(node):
            version = version_of(node)
            if is_enough(version, beside["nodeVersion"]):
                return node, version, others
            others.append("%s (%s)" % (node, version))
    return None, None, others


def no_node(beside, others):
    return failure(
        "ExecutorNodeError",
        "%s has no Node from version %d.%d on%s." % (platform.node(), *beside["nodeVersion"], ", only " + ", ".join(others) if others else ""),
        retryable=False,
    )


class Node:
    """The program, with its input and output in pieces: each is its length in four bytes, then itself."""

    def __init__(self, beside, root):
        node, _, others = find_node(beside, root)
        if node is None:
            raise no_node(beside, others)
        program = installed_program(beside["program"]) or os.path.join(root, "pomona-" + beside["program"]["hash"], "program.cjs")
        paths = [os.path.join(os.path.dirname(program), "packages")]
        if beside.get("natives"):
            paths.append(os.path.join(root, beside["natives"]))
        if os.environ.get("NODE_PATH"):
            paths.append(os.environ["NODE_PATH"])
        self.process = subprocess.Popen(
            [node, program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=dict(os.environ, NODE_PATH=os.pathsep.join(paths)), preexec_fn=die_with_parent,
        )
        self.said = collections.deque(maxlen=50)
        self.listener = threading.Thread(target=self.listen, daemon=True)
        self.listener.start()

    def listen(self):
        for line in self.process.stderr:
            self.said.append(line.decode("utf8", "replace"))
            sys.stderr.write(self.said[-1])

    def send(self, piece):
        self.process.stdin.write(struct.pack("<I", len(piece)))
        self.process.stdin.write(piece)

    def receive(self):
        head = self.process.stdout.read(4)
        if len(head) < 4:
            raise EOFError()
        return struct.unpack("<I", head)[0]

    def alive(self):
        return self.process.poll() is None

    def kill(self):
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            try:
                pipe.close()
            except Exception:
                pass

    def ended(self):
        code = self.process.wait()
        self.listener.join(5)
        how = "was ended by signal %d" % -code if code < 0 else "ended with code %d" % code
        said = "".join(self.said).strip()
        return failure("WorkerLostError", "The node process beside the executor %s in the middle of a task%s" % (how, ":\n" + said if said else "."))


class Sink(io.RawIOBase):
    """Where pyarrow writes a stream."""

    def __init__(self, node):
        self.node = node

    def writable(self):
        return True

    def write(self, data):
        size = memoryview(data).nbytes
        if size:
            self.node.process.stdin.write(struct.pack("<I", size))
            self.node.process.stdin.write(data)
        return size


class Source(io.RawIOBase):
    """Where pyarrow reads a stream, up to its empty piece."""

    def __init__(self, node):
        self.node, self.left, self.over = node, 0, False

    def readable(self):
        return True

    def some(self, size):
        while not self.left:
            if self.over:
                return b""
            self.left = self.node.receive()
            self.over = self.left == 0
        data = self.node.process.stdout.read(min(size, self.left))
        if not data:
            raise EOFError()
        self.left -= len(data)
        return data

    def read(self, size=-1):
        if size is None or size < 0:
            size = sys.maxsize
        parts = [self.some(size)] if size else [b""]
        missing = size - len(parts[0])
        while missing and parts[-1]:
            parts.append(self.some(missing))
            missing -= len(parts[-1])
        return parts[0] if len(parts) == 1 else b"".join(parts)


def forget_zips(root):
    """Before each task Spark has Python read anew what zip files on its path hold; for those that aren't a session's, and never change, a tenth of a second."""
    for path, importer in list(sys.path_importer_cache.items()):
        if type(importer).__name__ == "zipimporter" and not path.startswith(root):
            del sys.path_importer_cache[path]


def kept_node(beside, root):
    key = json.dumps([beside, root], sort_keys=True)
    node = getattr(kept, "node", None)
    if node is not None and kept.key == key and node.alive():
        return node
    if node is not None:
        node.kill()
    kept.node = None
    kept.node, kept.key = Node(beside, root), key
    # After each task Spark has garbage collected, which need not look through what was loaded by now.
    gc.freeze()
    return kept.node


def mapper(beside, task, preserves_rows):
    beside = json.loads(beside)

    def run(batches):
        try:
            yield from mapped(batches)
        except Failure as failed:
            raise Failure(dict(failed.error, place=place())) from None

    def mapped(batches):
        first = next(batches, None)
        if first is None:
            return
        import pyarrow as pa
        root = files_root()
        node = kept_node(beside, root)
        counted, problems = [0], []

        def feed():
            try:
                node.send(header.encode())
                with pa.ipc.new_stream(Sink(node), first.schema) as stream:
                    batch = first
                    while batch is not None:
                        stream.write_batch(batch)
                        node.process.stdin.flush()
                        counted[0] += batch.num_rows
                        batch = next(batches, None)
                node.send(b"")
                node.process.stdin.flush()
            except BrokenPipeError:
                # The program has ended, of which the other thread tells.
                pass
            except BaseException as problem:
                problems.append(problem)
                node.process.kill()

        header = json.dumps(dict(json.loads(task), partition=place().get("partition", 0), shipped=root))
        feeder = threading.Thread(target=feed, daemon=True)
        feeder.start()
        rows, end = 0, None
        try:
            source = Source(node)
            try:
                reader = pa.ipc.open_stream(source)
            except (pa.ArrowInvalid, OSError, EOFError):
                reader = ()
            batches_back = iter(reader)
            while True:
                try:
                    batch = next(batches_back, None)
                except (pa.ArrowInvalid, OSError, EOFError):
                    batch = None
                if batch is None:
                    break
                rows += batch.num_rows
                yield batch
            try:
                # What is left: the end of the stream.
                while source.some(1 << 16):
                    pass
                end = json.loads(node.process.stdout.read(node.receive()))
            except (EOFError, ValueError):
                end = None
            if end is None:
                feeder.join(5)
                if problems:
                    raise problems[0]
                raise node.ended()
            if "error" in end:
                raise Failure(end["error"])
            feeder.join(60)
            if problems:
                raise problems[0]
            if feeder.is_alive() or end["rowsIn"] != counted[0] or end["rows"] != rows or (preserves_rows and rows != counted[0]):
                said = "%d rows went to the node process beside the executor, which says that it got %s and gave %s; %d came back."
                lost = failure("LostRowsError", said % (counted[0], end["rowsIn"], end["rows"], rows))
                end = None
                raise lost
        finally:
            forget_zips(root)
            if end is None or "error" in end:
                kept.node = None
                node.kill()

    return run


def prober(beside):
    beside, answers = json.loads(beside), []

    def probe(_):
        # Of a task's rows the first one asks, which starts Node, for all.
        if not answers:
            answers.append(json.dumps(found_beside(beside)))
        return answers[0]

    return probe


def found_beside(beside):
    found = dict(host=platform.node(), python=platform.python_version(), platform=sys.platform)
    machine = platform.machine().lower()
    found["arch"] = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64"}.get(machine, machine)
    library, version = platform.libc_ver()
    if library == "glibc":
        found["glibc"] = version
    try:
        import pyarrow
        found["pyarrow"] = pyarrow.__version__
    except Exception as problem:
        found["problem"] = "%s: %s" % (type(problem).__name__, problem)
    root = files_root()
    node, version, _ = find_node(beside, root)
    if node is not None:
        found["node"] = version
    program = installed_program(beside["program"])
    if program is not None:
        found["program"] = program
    forget_zips(root)
    return found
