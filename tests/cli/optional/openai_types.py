"""Result lines of `batch --out openai` against the types of the official
`openai` client: every body must be a ChatCompletion or a Response without any
cast, as the strictest compiler options see it.

    LLMROUTE_OPTIONAL_TESTS=1 python3 tests/cli/optional/openai_types.py -v

Needs npm and the network, so it is no part of the normal run. Lines come from
openai_lines.jsonl beside this file, which a unit test keeps equal to what the
program writes, or from the files that LLMROUTE_RESULT_LINES names, separated by
colons: point it at the output of a real run.
"""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
FILES = os.environ.get("LLMROUTE_RESULT_LINES",
                       str(HERE / "openai_lines.jsonl")).split(":")
PACKAGES = ("openai@6", "typescript@5")
OPTIONS = ("--noEmit", "--strict", "--exactOptionalPropertyTypes",
           "--skipLibCheck", "--target", "es2022", "--module", "nodenext",
           "--moduleResolution", "nodenext")

HEAD = """import OpenAI from 'openai';
type Chat = OpenAI.Chat.Completions.ChatCompletion;
type Response = OpenAI.Responses.Response;
"""


def bodies():
    """(type, body) of every line that holds an answer."""
    for name in FILES:
        for line in pathlib.Path(name).read_text(encoding="utf-8").splitlines():
            response = json.loads(line)["response"]
            if response is None:
                continue
            body = response["body"]
            kind = {"chat.completion": "Chat", "response": "Response"}
            yield kind[body["object"]], body


@unittest.skipUnless(os.environ.get("LLMROUTE_OPTIONAL_TESTS") == "1",
                     "set LLMROUTE_OPTIONAL_TESTS=1 (needs npm and the network)")
@unittest.skipUnless(shutil.which("npm"), "npm is not installed")
class OpenAiTypes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="llmroute-types-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--silent",
                        "--prefix", folder.name, *PACKAGES], check=True)

    def compiled(self, source):
        """What the compiler says of a module; empty if it is well typed."""
        (self.folder / "lines.mts").write_text(HEAD + source, encoding="utf-8")
        done = subprocess.run(
            [self.folder / "node_modules/.bin/tsc", *OPTIONS, "lines.mts"],
            cwd=self.folder, stdout=subprocess.PIPE, text=True, check=False)
        return done.stdout

    def test_every_body_has_the_type_of_its_api(self):
        source, kinds = "", set()
        for number, (kind, body) in enumerate(bodies(), 1):
            kinds.add(kind)
            source += f"export const b{number}: {kind} = {json.dumps(body)};\n"
        self.assertEqual(kinds, {"Chat", "Response"})
        self.assertEqual(self.compiled(source), "")

    def test_a_body_of_another_shape_is_found(self):
        body = next(body for kind, body in bodies() if kind == "Chat")
        del body["choices"][0]["message"]["refusal"]
        self.assertIn("refusal", self.compiled(
            f"export const bad: Chat = {json.dumps(body)};\n"))


if __name__ == "__main__":
    unittest.main()
