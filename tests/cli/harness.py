"""What every behaviour test uses: the stub provider, the built binary in a
clean environment, and a test case that ties their lives to the test's.

    class Greeting(harness.TestCase):
        def test_answer_is_streamed(self):
            stub = self.stub([{"chunks": ["Hel", "lo"]}])
            result = self.run_llmroute(["run", "-p", "Hi"],
                                       config=harness.stub_config(stub, {"m": {}}))
            self.assert_status(result, 0)
            self.assertEqual(result.out, b"Hello\n")

The programs are named by LLMROUTE_BINARY and LLMROUTE_STUB (ctest sets both);
without them, those of build/dev are used.
"""

import base64
import dataclasses
import fcntl
import http.client
import io
import json
import os
import pathlib
import resource
import shutil
import signal
import socket
import stat
import struct
import subprocess
import tempfile
import termios
import time
import unittest

SOURCE_DIR = pathlib.Path(os.environ.get(
    "LLMROUTE_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))
BINARY = os.environ.get("LLMROUTE_BINARY", str(SOURCE_DIR / "build/dev/llmroute"))
STUB = os.environ.get("LLMROUTE_STUB", str(
    pathlib.Path(BINARY).parent / "tests/stub/llmroute-stub"))

# Code that is watched is slower and its frames are larger.
SANITIZED = "asan" in BINARY or "tsan" in BINARY
# As by `ulimit -s 256`, which is enough for us, but not for zsh and compilers.
SMALL_STACK = resource.getrlimit(resource.RLIMIT_STACK)[0] in range(1 << 20)
SLOWNESS = 10 if SANITIZED else 1
REPORT = 99  # the status of a process that a sanitizer ended; none of ours
REPORTS = "sanitizer"  # how the names of the files with reports in a home begin
SANITIZERS = {f"{name}SAN_OPTIONS": f"exitcode={REPORT}:halt_on_error=1"
              for name in ("A", "UB", "T", "L")} if SANITIZED else {}

# In STUB_KEY; never a real key. Whatever a test prints or leaves in its home is
# searched for it when the test ends (A1); a test that needs other keys adds to it.
KEY = "sk-stub-canary-0123456789abcdef"
PASSED_ON = ("PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS",
             "LSAN_OPTIONS", "LD_LIBRARY_PATH", "LLVM_PROFILE_FILE")


# --- the canary ----------------------------------------------------------------

def _forms_of(key):
    """The key as it stands, in hex, and in base64 wherever a text may hold it."""
    forms = [key, key.hex().encode(), key.hex().upper().encode()]
    for lead in range(3):
        text = base64.b64encode(b"-" * lead + key)
        forms.append(text[(lead * 4 + 2) // 3:len(text) // 4 * 4 - 4])
    return forms


KEY_FORMS = _forms_of(KEY.encode())


def holds_key(data):
    """Whether text or bytes hold the key in any form."""
    data = data if isinstance(data, bytes) else data.encode(errors="replace")
    return any(form in data for form in KEY_FORMS)


# --- the stub provider -------------------------------------------------------

@dataclasses.dataclass
class Request:
    """One request that the stub received. Times are time.monotonic_ns()."""
    seq: int
    conn: int
    t: int
    method: str
    path: str
    target: str
    model: str
    headers: list  # of [name, value], in order, repetitions kept
    body: bytes
    in_flight: int  # requests under way when it arrived, itself included
    done: dict  # its "done" line; None while it is under way

    def header(self, name):
        """Value of the first header of that name, or None."""
        for key, value in self.headers:
            if key.lower() == name.lower():
                return value
        return None

    def json(self):
        return json.loads(self.body)

    @property
    def prompt(self):
        """Text of the last user message."""
        if "contents" in self.json():
            turns = [c for c in self.json()["contents"] if c["role"] == "user"]
            return "".join(part["text"] for part in turns[-1]["parts"])
        if "input" in self.json():
            given = self.json()["input"]
            return given if isinstance(given, str) else "".join(
                part["text"] for part in given[-1]["content"])
        texts = [m["content"] for m in self.json()["messages"] if m["role"] == "user"]
        last = texts[-1]
        if isinstance(last, list):
            last = "".join(part.get("text", "") for part in last)
        return last


class Stub:
    """A running llmroute-stub. Rules are dicts, see tests/stub/README.md."""

    def __init__(self, rules=(), *, tls=False, prices=None, models=None,
                 word_delay_ms=0, seed=1, address="127.0.0.1"):
        self.address = address
        self.directory = tempfile.mkdtemp(prefix="llmroute-stub-")
        self.log_file = self._path("log.jsonl")
        args = [STUB, "--exit-with-stdin", "--log", self.log_file, "--address", address,
                "--word-delay-ms", str(word_delay_ms), "--seed", str(seed),
                "--script", self._write("script.jsonl", "".join(
                    json.dumps(rule) + "\n" for rule in rules))]
        if tls:
            args += ["--tls", "--tls-dir", self.directory]
        if prices:
            args += ["--prices", self._write("prices.json", json.dumps(prices))]
        if models:
            args += ["--models", ",".join(models)]
        self.process = subprocess.Popen(args, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)
        line = self.process.stdout.readline()
        if not line:
            self.stop()
            raise RuntimeError("llmroute-stub did not start")
        ready = json.loads(line)
        self.port = ready["port"]
        self.tls_port = ready["tls_port"]
        self.tls_ports = ready["tls"]  # variant -> port
        self.ca_file = self._path("ca.pem")

    def _path(self, name):
        return os.path.join(self.directory, name)

    def _write(self, name, text):
        with open(self._path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self._path(name)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    @property
    def origin(self):
        return f"http://{self.address}:{self.port}"

    @property
    def base_url(self):
        return self.base_url_for("openai-chat")

    def base_url_for(self, protocol, tls=None):
        """The base_url of a provider of that protocol; tls: a variant's name."""
        origin = self.origin
        if tls:
            origin = f"https://{self.address}:{self.tls_ports[tls]}"
        return origin + ("/v1" if protocol.startswith("openai-") else "")

    def events(self):
        """Every line of the log, as dicts."""
        with open(self.log_file, "rb") as file:
            text = file.read()
        whole = text[:text.rfind(b"\n") + 1]
        return [json.loads(line) for line in whole.splitlines()]

    def connections(self):
        return sum(1 for event in self.events() if event["event"] == "accept")

    def requests(self, wait=2.0):
        """The requests so far. Waits up to `wait` seconds until each has ended."""
        until = time.monotonic() + wait
        while True:
            requests = _pair(self.events())
            if all(r.done for r in requests) or time.monotonic() > until:
                return requests
            time.sleep(0.005)

    def account(self, wait=2.0):
        """The totals of requests, tokens and money, as the stub counts them.
        Waits up to `wait` seconds until no request is under way."""
        until = time.monotonic() + wait
        while True:
            totals = self._get("/stub/account")
            if totals["in_flight"] == 0 or time.monotonic() > until:
                return totals
            time.sleep(0.005)

    def _get(self, path):
        connection = http.client.HTTPConnection(self.address, self.port, timeout=10)
        try:
            connection.request("GET", path)
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def stop(self):
        """Ends the process; returns its exit status. Harmless when repeated."""
        if self.process.stdin and not self.process.stdin.closed:
            self.process.stdin.close()
        try:
            status = self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        self.process.stdout.close()
        shutil.rmtree(self.directory, ignore_errors=True)
        return status


def _pair(events):
    done = {e["seq"]: e for e in events if e["event"] == "done"}
    requests = []
    for event in events:
        if event["event"] != "request":
            continue
        body = (bytes.fromhex(event["body_hex"]) if "body_hex" in event
                else event["body"].encode())
        requests.append(Request(
            seq=event["seq"], conn=event["conn"], t=event["t"],
            method=event["method"], path=event["path"], target=event["target"],
            model=event["model"], headers=event["headers"], body=body,
            in_flight=event["in_flight"], done=done.get(event["seq"])))
    return requests


def closed_port():
    """A loopback port where nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


# --- configuration -----------------------------------------------------------

def toml(value):
    """A Python value as TOML text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(toml(item) for item in value) + "]"
    if isinstance(value, dict):
        pairs = ", ".join(f"{_key(k)} = {toml(v)}" for k, v in value.items())
        return "{ " + pairs + " }"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return repr(value)


def _key(name):
    plain = name.replace("-", "").replace("_", "")
    return name if plain.isalnum() and plain.isascii() else json.dumps(name)


def table(header, fields):
    """A TOML table; `header` with its brackets: "[routes.code]"."""
    return "\n".join([header] + [f"{_key(k)} = {toml(v)}" for k, v in fields.items()
                                 if v is not None]) + "\n\n"


def provider(name, **fields):
    return table(f"[providers.{_key(name)}]", fields)


def model(name, **fields):
    return table(f"[models.{_key(name)}]", fields)


DEFAULT_MODEL = {"context_window": 128000, "max_output_tokens": 4096,
                 "price": {"input": 1.0, "output": 2.0}, "ability": 1.0,
                 "first_token_seconds": 1.0, "tokens_per_second": 60}

# A provider is named after its protocol, unless a built-in one has that name
# and would bring its models along.
PROVIDER_NAMES = {"anthropic": "stub-anthropic", "ollama": "stub-ollama"}


def stub_config(stub, models, *, provider_fields=None, extra=""):
    """Config text for models that the stub serves.

    models: name -> fields. "protocol" (default openai-chat), "stub" (another
    Stub) and "provider_fields" are ours and pick the provider; the rest goes
    into the model's table over DEFAULT_MODEL; a field that is None is left out.
    Every protocol of every stub becomes one provider: "openai-chat",
    "stub-anthropic", "stub-ollama"; "openai-chat-2" for the second stub.
    `extra` is appended, for routes, rules and limits. A model of an Ollama must
    be in the list it shows: Stub(models=["llama"]).
    """
    stubs, providers, text = [stub], {}, ""
    for name, given in models.items():
        fields = dict(DEFAULT_MODEL, id=name) | given
        protocol = fields.pop("protocol", "openai-chat")
        server = fields.pop("stub", stub)
        own = fields.pop("provider_fields", None) or {}
        if server not in stubs:
            stubs.append(server)
        number = stubs.index(server) + 1
        where = PROVIDER_NAMES.get(protocol, protocol)
        where += "" if number == 1 else f"-{number}"
        settings = {"protocol": protocol,
                    "base_url": server.base_url_for(protocol),
                    "key_env": ["STUB_KEY"]} | (provider_fields or {}) | own
        providers.setdefault(where, {}).update(settings)
        text += model(name, provider=where, **fields)
    return "".join(provider(name, **fields)
                   for name, fields in providers.items()) + text + extra


# --- the binary --------------------------------------------------------------

@dataclasses.dataclass
class Result:
    out: bytes
    err: str
    status: int  # negative: died by that signal
    elapsed: float  # seconds, of which a busy machine may need any number
    cpu: float = 0.0  # seconds, of the process and its children

    def __post_init__(self):
        for name, said in (("stdout", self.out), ("stderr", self.err)):
            if holds_key(said):
                raise AssertionError(f"A1: a key on {name}: {said!r}")
        if self.status == REPORT:
            raise AssertionError(self.err)

    @property
    def text(self):
        return self.out.decode()

    def json(self):
        return json.loads(self.out)


class Process(subprocess.Popen):
    """Seconds to wait are meant for a program that is not watched."""

    def wait(self, timeout=None):
        return super().wait(timeout and timeout * SLOWNESS)

    def communicate(self, input=None, timeout=None):
        return super().communicate(input, timeout and timeout * SLOWNESS)


class SearchedPipe(io.FileIO):
    """A pipe from a process: reading the key out of it fails."""

    def __init__(self, pipe):
        super().__init__(os.dup(pipe.fileno()), "rb")
        pipe.close()
        self._last = b""

    def read(self, size=-1):
        data = super().read(size)
        seen = self._last + (data or b"")
        if holds_key(seen):
            raise AssertionError(f"A1: a key in a pipe: {seen!r}")
        self._last = seen[-2 * len(KEY):]
        return data


def cpu_of_children():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def small_stack():
    """As `ulimit -s 256`, to be called in a child; under a sanitizer 4 MiB."""
    size = (4 << 20) if SANITIZED else (256 << 10)
    resource.setrlimit(resource.RLIMIT_STACK, (size, size))


class Home:
    """A private home directory to run the binary in; its ledger lasts as long."""

    def __init__(self):
        self.path = tempfile.mkdtemp(prefix="llmroute-home-")
        os.mkdir(self.file("tmp"))
        os.mkdir(self.file("work"))
        self._configs = 0
        self._given = set()  # files in which a test gave the key

    def file(self, *parts):
        return os.path.join(self.path, *parts)

    def write(self, name, content, mode=0o600):
        """Writes text or bytes to a file of the home; returns its path."""
        path = self.file(name)
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        data = content if isinstance(content, bytes) else content.encode()
        if holds_key(data):
            self._given.add(path)
        with open(path, "wb") as file:
            file.write(data)
        os.chmod(path, mode)
        return path

    def environment(self, extra=None):
        """Nothing of the caller's but what programs need to run. A value of
        None in `extra` removes the variable."""
        env = {name: f"{options}:log_path={self.file(REPORTS)}"
               for name, options in SANITIZERS.items()}
        env |= {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        env |= {"HOME": self.path, "LANG": "C.UTF-8", "TMPDIR": self.file("tmp"),
                "XDG_CONFIG_HOME": self.file(".config"),
                "XDG_STATE_HOME": self.file(".local/state"),
                "XDG_DATA_HOME": self.file(".local/share"),
                "XDG_CACHE_HOME": self.file(".cache"), "STUB_KEY": KEY}
        for name, value in (extra or {}).items():
            if value is None:
                env.pop(name, None)
            else:
                env[name] = value
        return env

    def command(self, args, config=None):
        """argv for `args`; a config is written to a file and given with -c."""
        words = [str(arg) for arg in args]
        if config is not None:
            self._configs += 1
            path = self.write(f"config-{self._configs}.toml", config)
            at = words.index("--") if "--" in words else len(words)
            words[at:at] = ["-c", path]
        return [BINARY] + words

    def run(self, args, stdin=None, config=None, env=None, timeout=120, cwd=None,
            **popen):
        """Runs to the end. stdin: None is /dev/null; text, bytes or a file."""
        pipe = isinstance(stdin, (str, bytes))
        source = stdin.encode() if isinstance(stdin, str) else stdin
        begin, used = time.monotonic(), cpu_of_children()
        process = Process(
            self.command(args, config), env=self.environment(env),
            cwd=cwd or self.file("work"), stderr=subprocess.PIPE,
            stdin=subprocess.PIPE if pipe else stdin or subprocess.DEVNULL,
            **({"stdout": subprocess.PIPE} | popen))
        try:
            out, err = process.communicate(source if pipe else None, timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            raise AssertionError(
                f"{args}: no end within {timeout * SLOWNESS} s\nstdout: {out!r}\n"
                f"stderr: {err.decode(errors='replace')}") from None
        return Result(out or b"", err.decode(errors="replace"), process.returncode,
                      time.monotonic() - begin, cpu_of_children() - used)

    def spawn(self, args, config=None, env=None, cwd=None, **popen):
        """Starts it with pipes for stdin, stdout and stderr, unbuffered."""
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        process = Process(
            self.command(args, config), env=self.environment(env), bufsize=0,
            cwd=cwd or self.file("work"), **(pipes | popen))
        for name in ("stdout", "stderr"):
            if getattr(process, name):
                setattr(process, name, SearchedPipe(getattr(process, name)))
        return process

    def files_with_key(self):
        """Files that hold the key and were not given it with write()."""
        found = []
        for folder, _, names in os.walk(self.path):
            for name in names:
                path = os.path.join(folder, name)
                if path in self._given or not stat.S_ISREG(os.lstat(path).st_mode):
                    continue
                with open(path, "rb") as file:
                    if holds_key(file.read(64 << 20)):
                        found.append(path)
        return found

    def reports(self):
        """What a sanitizer said of any process, killed ones and others' children."""
        texts = []
        for path in pathlib.Path(self.path).glob(REPORTS + ".*"):
            texts.append(path.read_text(errors="replace"))
        return "\n".join(texts)

    def remove(self):
        found, reports = self.files_with_key(), self.reports()
        shutil.rmtree(self.path, ignore_errors=True)
        if found:
            raise AssertionError(f"A1: a key in {found}")
        if reports:
            raise AssertionError(reports)


class TestCase(unittest.TestCase):
    """One home per test; stubs, homes and spawned processes end with the test."""

    maxDiff = None

    def setUp(self):
        self.home = Home()
        self.addCleanup(self.home.remove)

    def stub(self, rules=(), **options):
        stub = Stub(rules, **options)
        self.addCleanup(stub.stop)
        return stub

    def run_llmroute(self, args, **options):
        return self.home.run(args, **options)

    def spawn_llmroute(self, args, **options):
        process = self.home.spawn(args, **options)
        self.addCleanup(_end, process)
        return process

    def shown_at_width(self, args, columns, **options):
        """What stdout shows of a command where it is a terminal so wide."""
        leader, follower = os.openpty()
        fcntl.ioctl(follower, termios.TIOCSWINSZ,
                    struct.pack("HHHH", 24, columns, 0, 0))
        process = self.spawn_llmroute(args, stdout=follower, **options)
        os.close(follower)
        process.stdin.close()
        shown = shown_on(leader)
        os.close(leader)
        process.wait()
        return shown.decode().replace("\r\n", "\n")

    def assert_status(self, result, status):
        self.assertEqual(
            result.status, status,
            f"\nstdout: {result.out[:2000]!r}\nstderr: {result.err[:4000]}")

    def assert_no_key(self, *texts):
        """The stub's key stands in none of the texts, in no common form. For what
        is neither the Result of a run nor a file of the home."""
        for text in texts:
            self.assertFalse(holds_key(text), text)


def shown_on(leader):
    """Everything that a terminal is given until the last writer has closed it."""
    shown = b""
    while True:
        try:
            piece = os.read(leader, 4096)
        except OSError:
            return shown
        if not piece:
            return shown
        shown += piece


def _end(process):
    if process.poll() is None:
        process.send_signal(signal.SIGKILL)
    process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe:
            pipe.close()
