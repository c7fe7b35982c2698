"""Ollama's native chat: the wire, lines, errors."""

import json
import unittest

from provider_case import ProviderCase


def line(content, done=False, **more):
    return json.dumps({"model": "m", "done": done,
                       "message": {"role": "assistant", "content": content}} | more)


class Ollama(ProviderCase):
    def ask(self, rules, protocol="ollama", args=(), **options):
        return super().ask(rules, protocol, args, **options)

    def answered(self, rules, words, **options):
        return super().answered(rules, words, "ollama", **options)

    def fails(self, rules, status, message, **options):
        return super().fails(rules, status, message, "ollama", **options)

    def test_OLR_1_wire(self):
        _, stub = self.answered(
            [{"chunks": ["Hel", "lo"]}], "Hello\n",
            model={"context_window": 8192},
            args=["--system", "Be brief.", "--temperature", "0.5", "--stop", "END",
                  "--seed", "7", "--max-tokens", "77", "-O", "keep_alive=5m"])
        request, = self.posts(stub)
        self.assertEqual(request.path, "/api/chat")
        self.assertEqual(request.json(), {
            "model": "m", "stream": True, "truncate": False, "keep_alive": "5m",
            "messages": [{"role": "system", "content": "Be brief."},
                         {"role": "user", "content": "Say hi"}],
            "options": {"num_predict": 77, "num_ctx": 8192, "temperature": 0.5,
                        "stop": ["END"], "seed": 7}})

    def test_OLR_1_eval_counts_become_usage(self):
        result, _ = self.ask([{"text": "a", "usage": {"input": 26, "output": 9}}],
                             args=["--json"])
        self.assert_status(result, 0)
        usage = result.json()["usage"]
        self.assertEqual((usage["input"], usage["output"]), (26, 9))

    def test_OLR_1_error_object_in_the_stream(self):
        _, stub = self.fails([{"error_event_after": 1, "chunks": ["ab", "c"],
                               "error": "runner crashed"}], 3, "runner crashed", out=b"ab")
        self.asked(stub, 1)
        _, stub = self.answered([{"error_event_after": 0, "error": "busy", "times": 1},
                                 {"text": "ok"}], "ok\n")
        self.asked(stub, 2)

    def test_S19_lines(self):
        self.answered([{"raw": "\n".join([line("a"), "", "  ", line("b") + line("}c"),
                                          line("", True, done_reason="stop")])}], "ab}c\n")
        self.fails([{"raw": line("a") + '\n{"message":{"con'}], 3, "end marker", out=b"a")
        self.fails([{"raw": line("a") + "\n{]\n" + line("", True)}], 3, "not valid JSON",
                   out=b"a")

    def test_done_reasons(self):
        self.fails([{"raw": line("a", True, done_reason="length")}], 3, "token limit",
                   out=b"a\n")
        self.fails([{"raw": line("", True, done_reason="")}], 75, "broke off",
                   args=["--retries", "0"])

    def test_model_not_found_goes_to_the_next(self):
        self.fails([{"status": 404, "error": "model 'm' not found"}], 69,
                   "model 'm' not found")


if __name__ == "__main__":
    unittest.main()
