"""A mock of other people's making between llmroute and nothing: `aimock` speaks the
protocols of OpenAI (both), Anthropic, Google, Ollama, Azure and OpenRouter, checks what
it is asked and answers from fixtures, which are the same for all.

    LLMROUTE_OPTIONAL_TESTS=1 python3 tests/cli/optional/mock_server.py -v

Needs node, npm and the network or npm's cache; without them it is skipped and says so.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import harness  # pylint: disable=wrong-import-position
from provider_case import each_protocol  # pylint: disable=wrong-import-position

PACKAGE = "@copilotkit/aimock@1.43.0"
PATHS = {"openai-chat": "/v1/chat/completions", "openai-responses": "/v1/responses",
         "anthropic": "/v1/messages", "gemini": "/v1beta/models/gpt-4:",
         "ollama": "/api/chat"}
ANSWER = "Hello from afar: \u00fcber alles, 4 \u2264 5.\n\nThe end."
CITY = {"city": "\u00c5rhus", "people": 290598}
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"},
                                           "people": {"type": "integer"}},
          "required": ["city", "people"], "additionalProperties": False}
TOOLS = [{"name": "weather", "description": "Says what it is like outside.",
          "parameters": {"type": "object", "properties": {"city": {"type": "string"}},
                         "required": ["city"]}}]
# Words of a prompt -> what it is refused with, and llmroute's exit status.
REFUSALS = {
    "bad request": (400, "invalid_request_error", 65),
    "bad key": (401, "authentication_error", 77),
    "no such model": (404, "not_found_error", 69),
    "too fast": (429, "rate_limit_error", 75),
    "broken": (500, "api_error", 75),
    "overloaded": (503, "overloaded_error", 75),
}
FIXTURES = [
    {"match": {"toolName": "weather"},
     "response": {"toolCalls": [{"name": "weather", "arguments": {"city": "\u00c5rhus"}}]}},
    {"match": {"userMessage": "a city"}, "response": {"content": json.dumps(CITY)}},
    {"match": {"userMessage": "cut"}, "response": {"content": ANSWER * 3},
     "truncateAfterChunks": 5},
    *({"match": {"userMessage": words},
       "response": {"error": {"message": f"said {words}", "type": kind}, "status": status}}
      for words, (status, kind, _) in REFUSALS.items()),
    {"match": {"userMessage": "count"}, "response": {"content": ANSWER, "usage": {
        "prompt_tokens": 21, "completion_tokens": 13, "total_tokens": 34,
        "cost": 0.0021}}},
    {"match": {"userMessage": "hello"}, "response": {"content": ANSWER}},
]


def install():
    """The folder with the package, or why there is none."""
    if not shutil.which("npm") or not shutil.which("node"):
        return None, "npm or node is not installed"
    folder = tempfile.TemporaryDirectory(prefix="llmroute-mock-")
    done = subprocess.run(
        ["npm", "install", "--no-audit", "--no-fund", "--silent", "--prefix", folder.name,
         PACKAGE], capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != 0:
        folder.cleanup()
        return None, f"npm cannot install {PACKAGE}: {done.stderr.strip()[-200:]}"
    return folder, None


@unittest.skipUnless(os.environ.get("LLMROUTE_OPTIONAL_TESTS") == "1",
                     "set LLMROUTE_OPTIONAL_TESTS=1 (needs npm and the network)")
class MockServer(harness.TestCase):
    @classmethod
    def setUpClass(cls):
        folder, missing = install()
        if missing:
            raise unittest.SkipTest(missing)
        cls.addClassCleanup(folder.cleanup)
        fixtures = pathlib.Path(folder.name, "fixtures.json")
        fixtures.write_text(json.dumps({"fixtures": FIXTURES}), encoding="utf-8")
        cls.port = harness.closed_port()
        cls.origin = f"http://127.0.0.1:{cls.port}"
        script = f"{folder.name}/node_modules/@copilotkit/aimock/dist/cli.js"
        server = subprocess.Popen(
            ["node", script, "-p", str(cls.port), "-f", str(fixtures), "-c", "7",
             "--strict", "--validate-on-load", "--log-level", "warn"],
            stdout=subprocess.DEVNULL)
        cls.addClassCleanup(server.wait)
        cls.addClassCleanup(server.terminate)
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                cls.get("/ready")
                return
            except OSError:
                time.sleep(0.05)
        raise AssertionError("the mock did not come up")

    @classmethod
    def get(cls, path):
        with urllib.request.urlopen(cls.origin + path, timeout=30) as reply:
            return json.loads(reply.read())

    def setUp(self):
        super().setUp()
        self.before = len(self.journal())

    def journal(self):
        return [e for e in self.get("/__aimock/journal") if e["method"] == "POST"]

    def asked(self):
        """The paths that were posted to since this was last asked."""
        before, self.before = self.before, len(self.journal())
        return [entry["path"] for entry in self.journal()[before:]]

    def config(self, protocol, **provider):
        """One model, listed by the mock under a name that it has by itself."""
        base = self.origin + ("/v1" if protocol.startswith("openai-") else "")
        fields = {"protocol": protocol, "base_url": base, "key_env": ["STUB_KEY"]} | provider
        return harness.provider("p", **fields) + harness.model(
            "m", provider="p", **harness.DEFAULT_MODEL | {
                "id": "gpt-4", "tags": ["json", "tools"]})

    def ask(self, protocol, prompt, *args, **provider):
        return self.run_llmroute(["run", "--no-stdin", "-m", "m", "--retries", "0", *args,
                                  "-p", prompt], config=self.config(protocol, **provider))

    @each_protocol
    def test_an_answer_streamed_and_whole(self, protocol):
        for args in ((), ("--no-stream",)):
            result = self.ask(protocol, "say hello", "-s", "Be brief.",
                              "--max-tokens", "300", *args)
            self.assert_status(result, 0)
            self.assertEqual(result.text, ANSWER + "\n")
        paths = self.asked()
        self.assertEqual(len(paths), 2)
        for path in paths:
            self.assertTrue(path.startswith(PATHS[protocol]), path)

    @each_protocol
    def test_what_an_answer_cost(self, protocol):
        for args in ((), ("--no-stream",)):
            report = self.ask(protocol, "count", "--json", *args).json()
            self.assertEqual(report["text"], ANSWER)
            if protocol == "ollama":  # the mock says 0 of all: not known, never free
                self.assertIsNone(report["cost"]["usd"])
                continue
            self.assertEqual((report["usage"]["input"], report["usage"]["output"]),
                             (21, 13))
            self.assertEqual(report["cost"]["usd"], 47e-6)

    @each_protocol
    def test_functions_are_offered_and_called(self, protocol):
        file = self.home.write("tools.json", json.dumps(TOOLS))
        for args in ((), ("--no-stream",)):
            result = self.ask(protocol, "the weather in \u00c5rhus", "--tools", file,
                              *args)
            self.assert_status(result, 0)
            call = json.loads(result.text.splitlines()[0])
            self.assertEqual((call["name"], call["arguments"]),
                             ("weather", {"city": "\u00c5rhus"}))

    @each_protocol
    def test_an_answer_that_fits_a_schema(self, protocol):
        file = self.home.write("schema.json", json.dumps(SCHEMA))
        result = self.ask(protocol, "name a city", "--schema", file)
        self.assert_status(result, 0)
        self.assertEqual(json.loads(result.text), CITY)

    @each_protocol
    def test_refusals_in_each_protocols_own_form(self, protocol):
        for words, (_, _, status) in REFUSALS.items():
            result = self.ask(protocol, words)
            self.assert_status(result, status)
            self.assertIn(f"said {words}", result.err)
            self.assertEqual(result.out, b"")
        self.assertEqual(len(self.asked()), len(REFUSALS))

    @each_protocol
    def test_S1_a_stream_that_is_cut(self, protocol):
        result = self.ask(protocol, "cut")
        self.assertIn(result.status, (3, 75))
        self.assertNotIn(b"The end", result.out)

    @each_protocol
    def test_a_batch(self, protocol):
        records = "".join(json.dumps({"id": str(i), "prompt": f"hello {i}"}) + "\n"
                          for i in range(30))
        result = self.run_llmroute(["batch", "-j", "8"], stdin=records,
                                   config=self.config(protocol))
        self.assert_status(result, 0)
        lines = [json.loads(line) for line in result.text.splitlines()]
        self.assertEqual([line["id"] for line in lines], [str(i) for i in range(30)])
        self.assertEqual({line["text"] for line in lines}, {ANSWER})
        self.assertEqual(len(self.asked()), 30)

    def test_azure_and_openrouter(self):
        result = self.ask("openai-chat", "say hello", base_url=self.origin,
                          api_version="2024-10-21")
        self.assert_status(result, 0)
        self.assertEqual(result.text, ANSWER + "\n")
        report = self.ask("openai-chat", "count", "--json", reported_cost=True,
                          base_url=self.origin + "/api/v1").json()
        self.assertEqual((report["text"], report["cost"]["usd"]), (ANSWER, 0.0021))
        self.assertEqual([path.split("?")[0] for path in self.asked()],
                         ["/openai/deployments/gpt-4/chat/completions",
                          "/api/v1/chat/completions"])


if __name__ == "__main__":
    unittest.main()
