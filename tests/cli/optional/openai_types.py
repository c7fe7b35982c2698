"""What `batch --out openai` writes against the types of the official `openai`
client: every body must be a ChatCompletion or a Response without any cast, and
every line a line of results, as the strictest compiler options see it.

    LLMROUTE_OPTIONAL_TESTS=1 python3 tests/cli/optional/openai_types.py -v

Needs npm and the network, so it is no part of the normal run. The binary asks
the stub of each protocol; openai_lines.jsonl beside this file, which a unit test
keeps equal to what the program writes, adds what a stub does not say.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import harness  # pylint: disable=wrong-import-position

PACKAGES = ("openai@6", "typescript@5")
OPTIONS = ("--noEmit", "--strict", "--exactOptionalPropertyTypes",
           "--skipLibCheck", "--target", "es2022", "--module", "nodenext",
           "--moduleResolution", "nodenext")

HEAD = """import OpenAI from 'openai';
type Chat = OpenAI.Chat.Completions.ChatCompletion;
type Response = OpenAI.Responses.Response;
"""


# A line of a batch's results, as the API describes it.
LINE = """
type Body = Chat | Response;
type Line = {
  id: string; custom_id: string;
  response: { status_code: number; request_id: string; body: Body } | null;
  error: { code: string; message: string } | null;
};
"""

PROTOCOLS = ("openai-chat", "anthropic", "ollama")


def records():
    """Records of every form for a model of each protocol, and some that fail."""
    for protocol in PROTOCOLS:
        model = "m-" + protocol
        yield {"id": f"{protocol}-native", "model": model, "prompt": "Say hi."}
        yield {"custom_id": f"{protocol}-chat", "method": "POST",
               "url": "/v1/chat/completions",
               "body": {"model": model, "max_tokens": 300, "messages": [
                   {"role": "system", "content": "Be brief."},
                   {"role": "user", "content": "Say \u2028 \"hi\"."}]}}
        yield {"custom_id": f"{protocol}-response", "method": "POST",
               "url": "/v1/responses",
               "body": {"model": model, "input": "Say hi.", "temperature": 0.5,
                        "instructions": "Be brief.", "max_output_tokens": 300}}
        yield {"custom_id": f"{protocol}-cut", "method": "POST",
               "url": "/v1/responses",
               "body": {"model": model, "input": "Say hi.",
                        "max_output_tokens": 3}}
    yield {"custom_id": "tools", "method": "POST", "url": "/v1/chat/completions",
           "body": {"messages": [{"role": "user", "content": "x"}],
                    "tools": [{"type": "function"}]}}
    yield {"custom_id": "elsewhere", "method": "POST", "url": "/v1/embeddings",
           "body": {"input": "x"}}


def answered(lines):
    """(type, body) of every line that holds an answer."""
    for line in lines:
        if line["response"] is not None:
            body = line["response"]["body"]
            kind = {"chat.completion": "Chat", "response": "Response"}
            yield kind[body["object"]], body


@unittest.skipUnless(os.environ.get("LLMROUTE_OPTIONAL_TESTS") == "1",
                     "set LLMROUTE_OPTIONAL_TESTS=1 (needs npm and the network)")
@unittest.skipUnless(shutil.which("npm"), "npm is not installed")
class OpenAiTypes(harness.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="llmroute-types-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--silent",
                        "--prefix", folder.name, *PACKAGES], check=True)

    def written(self, *options):
        """The lines that the binary writes for records()."""
        stub = self.stub(models=["m-ollama"])
        config = harness.stub_config(stub, {
            "m-" + protocol: {"protocol": protocol} for protocol in PROTOCOLS})
        result = self.run_llmroute(
            ["batch", "--out", "openai", *options], config=config,
            stdin="".join(json.dumps(record) + "\n" for record in records()))
        self.assert_status(result, 1)  # some fail on purpose
        lines = [json.loads(line) for line in result.out.splitlines()]
        self.assertEqual(len(lines), len(list(records())))
        self.assertEqual(sum(line["error"] is not None for line in lines), 2)
        return lines

    def compiled(self, source):
        """What the compiler says of a module; empty if it is well typed."""
        (self.folder / "lines.mts").write_text(HEAD + source, encoding="utf-8")
        done = subprocess.run(
            [self.folder / "node_modules/.bin/tsc", *OPTIONS, "lines.mts"],
            cwd=self.folder, stdout=subprocess.PIPE, text=True, check=False)
        return done.stdout

    def check(self, lines):
        bodies = list(answered(lines))
        self.assertEqual({kind for kind, _ in bodies}, {"Chat", "Response"})
        self.assertEqual(self.compiled("".join(
            f"export const b{number}: {kind} = {json.dumps(body)};\n"
            for number, (kind, body) in enumerate(bodies))), "")

    def test_every_body_that_the_binary_writes_has_the_type_of_its_api(self):
        self.check(self.written())
        self.check(self.written("--no-timing"))

    def test_every_line_without_extras_is_a_line_of_results(self):
        lines = self.written("--no-extras")
        self.assertEqual(self.compiled(LINE + "".join(
            f"export const l{number}: Line = {json.dumps(line)};\n"
            for number, line in enumerate(lines))), "")

    def test_bodies_that_no_stub_leads_to_have_their_types_too(self):
        text = (HERE / "openai_lines.jsonl").read_text(encoding="utf-8")
        self.check([json.loads(line) for line in text.splitlines()])

    def test_a_body_of_another_shape_is_found(self):
        body = next(body for kind, body in answered(self.written())
                    if kind == "Chat")
        del body["choices"][0]["message"]["refusal"]
        self.assertIn("refusal", self.compiled(
            f"export const bad: Chat = {json.dumps(body)};\n"))


if __name__ == "__main__":
    unittest.main()
