"""Streams that break, lie or are cut anywhere. Names begin with the row of the
fault matrix in docs/reliability.md."""

import json
import subprocess
import time
import unittest

import harness
from durable_batch import FULL
from provider_case import PROTOCOLS, ProviderCase, attempts, each_protocol

ODD = ["H\u00e9", "l\u20ac", "\U0001F680", "\n", " x\t\"\\", "", "[DONE]", "data: y",
       "\u2028\u0085"]
ODD_TEXT = "".join(ODD) + "\n"


class Streams(ProviderCase):
    # --- the answer is what was sent ------------------------------------------

    @each_protocol
    def test_P1_text_is_the_concatenation_of_the_deltas(self, protocol):
        for rule in ({}, {"force_stream": False}, {"framing": "close"},
                     {"version": "1.0"}):
            self.answered([{"chunks": ODD} | rule], ODD_TEXT, protocol)
        self.answered([{"chunks": ODD}], ODD_TEXT, protocol, args=["--no-stream"])

    def test_P2_the_first_byte_is_printed_when_it_comes(self):
        stub = self.served([{"chunks": ["a", "b"], "delay_chunk_ms": 5000}])
        config = harness.stub_config(stub, {"m": {}})
        delays = []
        for _ in range(2):
            process = self.spawn_llmroute(["run", "-m", "m", "-p", "x"], config=config)
            process.stdin.close()
            self.assertEqual(process.stdout.read(1), b"a")
            seen = time.monotonic_ns()
            process.wait()
            sent = self.posts(stub)[-1].done["first_delta_t"]
            delays.append((seen - sent) / 1e6)
        self.assertLess(min(delays), 2500)  # not with the next one

    @each_protocol
    def test_S6_every_chunking_gives_the_same_bytes(self, protocol):
        for rule in ([{"chunk": n} for n in (1, 2, 3, 7)] +
                     [{"chunk": "random", "seed": n} for n in range(1000 if FULL else 10)]):
            self.answered([{"chunks": ODD} | rule], ODD_TEXT, protocol)

    def test_S7_line_ends_and_byte_order_mark(self):
        for eol in ("crlf", "cr", "mixed"):
            for chunk in (1, 4096):
                self.answered([{"chunks": ODD, "eol": eol, "chunk": chunk}], ODD_TEXT)
                self.answered([{"chunks": ODD, "eol": eol, "chunk": chunk}], ODD_TEXT,
                              "anthropic")
        for chunk in (1, 2, 4096):
            self.answered([{"chunks": ODD, "bom": True, "chunk": chunk}], ODD_TEXT)

    def test_S7_no_line_end_after_the_end_marker(self):
        delta = 'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n'
        for ending in ("data: [DONE]", "data: [DONE]\n", "data:[DONE]\r\n\r"):
            self.answered([{"raw": delta + ending,
                            "content_type": "text/event-stream"}], "a\n")
        self.fails([{"raw": delta + delta[:-2]}], 3, "end marker", out=b"a")

    @each_protocol
    def test_S8_halves_of_a_pair_make_one_character(self, protocol):
        self.answered([{"chunks_raw": ["a\\ud83d", "\\ude80b"]}],
                      "a\U0001F680b\n", protocol)

    @each_protocol
    def test_S8_what_is_not_text_is_replaced_and_told(self, protocol):
        for rule in ({"chunks_raw": ["a\\ud83d", "b"]},
                     {"chunks": ["a", "b"], "bad_utf8": True}):
            result, _ = self.ask([rule], protocol)
            self.assert_status(result, 0)
            self.assertIn("\ufffd", result.text)
            self.assertIn("U+FFFD", result.err)

    def test_S14_unknown_events_and_fields_are_ignored(self):
        for protocol in PROTOCOLS:
            self.answered([{"chunks": ODD, "unknown_events": True}], ODD_TEXT, protocol)
        frame = {"choices": [{"index": 0, "delta": {"content": "a"}}],
                 "huge": "x" * (4 << 20)}
        self.answered([{"frames": [json.dumps(frame), "[DONE]"]}], "a\n")

    @each_protocol
    def test_S18_done_inside_text_is_no_end(self, protocol):
        self.answered([{"chunks": ["[DONE]", "\n\ndata: [DONE]\n\n", "end"]}],
                      "[DONE]\n\ndata: [DONE]\n\nend\n", protocol)

    def test_S20_control_characters_pass_a_pipe_unchanged(self):
        raw = ["a\\u0000b", "\\u001b[31m", "\\u007f\\u0007"]
        for protocol in PROTOCOLS:
            self.answered([{"chunks_raw": raw}], "a\0b\x1b[31m\x7f\x07\n", protocol)

    # --- the stream breaks ----------------------------------------------------

    @each_protocol
    def test_S1_clean_end_without_the_end_marker(self, protocol):
        rule = {"chunks": ["ab", "cd"], "no_terminal": True}
        self.fails([rule], 3, "broke off after 4 bytes", protocol, out=b"abcd")
        # Held back, it is asked again, and the second answer is whole.
        _, stub = self.answered([rule | {"times": 1}, {"text": "ok"}], "ok\n",
                                protocol, args=["--no-stream"])
        self.asked(stub, 2)

    def test_S1_nothing_printed_is_tried_again(self):
        # The start of a stream is no content.
        for protocol in ("openai-chat", "anthropic"):
            with self.subTest(protocol):
                _, stub = self.fails([{"chunks": [], "no_terminal": True}], 75,
                                     "end marker", protocol)
                self.asked(stub, 3)

    @each_protocol
    def test_S2_reset_at_every_byte(self, protocol):
        self.breaks_at(protocol, "rst_after", step=7 if harness.SANITIZED else 1)

    @each_protocol
    def test_S1_cut_at_every_seventh_byte(self, protocol):
        self.breaks_at(protocol, "cut_after", step=1 if FULL else 7)

    def breaks_at(self, protocol, how, step):
        says = {"chunks": ["ab", "\u20ac"], "usage": "omit"}
        length = self.length_of_body(protocol, says)
        places = range(0, length, step)
        stub = self.served([says | {how: n, "times": 1} for n in places])
        config = harness.stub_config(stub, {"m": {"protocol": protocol}})
        whole = "ab\u20ac".encode()
        statuses = []
        for n in places:
            result = self.run_llmroute(["run", "-m", "m", "--retries", "0", "-p", "x"],
                                       config=config)
            out = result.out
            if result.status == 0:
                self.assertEqual(out, whole + b"\n", n)
            else:
                self.assertTrue(whole.startswith(out), (n, out))
                self.assertEqual(result.status, 3 if out else 75, (n, result.err))
                if out:
                    self.assertIn(f"after {len(out)} byte", result.err)
            statuses.append(result.status)
        self.assertEqual(statuses[0], 75)
        # Once the end marker has come, a reset is nobody's loss; before, it is
        # never taken for an end.
        first_ok = statuses.index(0) if 0 in statuses else len(places)
        self.assertGreater(first_ok, len(places) * 0.6)
        self.assertEqual(set(statuses[first_ok:]) - {0}, set())

    def length_of_body(self, protocol, says):
        _, stub = self.ask([says], protocol)
        done = self.posts(stub)[0].done
        return next(done[key] for key in ("body_sent", "body_bytes", "bytes")
                    if key in done)

    @each_protocol
    def test_S3_error_event(self, protocol):
        error = {"type": "rate_limit_error", "message": "slow down",
                 "code": "rate_limit_exceeded"}
        rule = {"chunks": ["ab", "c"], "error": error}
        _, stub = self.fails([rule | {"error_event_after": 1}], 3, "slow down",
                             protocol, out=b"ab")
        self.asked(stub, 1)
        _, stub = self.answered(
            [rule | {"error_event_after": 0, "times": 1}, {"text": "ok"}],
            "ok\n", protocol)
        self.asked(stub, 2)

    @each_protocol
    def test_S4_silence_is_a_cut(self, protocol):
        rule = {"chunks": ["ab", "c"], "delay_chunk_ms": 60_000}
        result, _ = self.fails([rule], 3, "silent", protocol, out=b"ab",
                               args=["--idle-timeout", "300ms"])
        self.assertLess(result.elapsed, 30)

    def test_S4_any_byte_ends_the_silence(self):
        self.answered([{"chunks": ["ab", "c"], "trickle": 100, "chunk": 20}], "abc\n",
                      args=["--idle-timeout", "400ms", "--first-token-timeout", "5s"])

    def test_G10_a_slow_reader_of_ours_is_no_silence(self):
        for protocol in PROTOCOLS:
            stub = self.served([{"words": 100_000}])
            config = harness.stub_config(stub, {"m": {
                "protocol": protocol, "max_output_tokens": 1_000_000,
                "context_window": 2_000_000}})
            process = self.spawn_llmroute(
                ["run", "-m", "m", "-p", "x", "--idle-timeout", "500ms",
                 "--first-token-timeout", "3s", "--timeout", "4s"], config=config)
            process.stdin.close()
            time.sleep(4.5)  # the pipe is full; the time is ours, not the server's
            length = 0
            while piece := process.stdout.read(1 << 20):
                length += len(piece)
            self.assertEqual(process.wait(), 0, process.stderr.read())
            self.assertGreater(length, 500_000)

    def test_S5_comments_are_not_content(self):
        for protocol in ("openai-chat", "anthropic"):
            with self.subTest(protocol):
                result, stub = self.ask([{"comments_only": 50}], protocol, args=[
                    "--first-token-timeout", "400ms", "--idle-timeout", "100ms",
                    "--retries", "0", "--json"])
                self.assert_status(result, 75)
                self.assertEqual(attempts(result),
                                 [(200, "transient", "first-token time-out")])
                self.assertLess(result.elapsed, 30)

    # --- the stream lies ------------------------------------------------------

    def test_S9_a_line_without_end(self):
        result, stub = self.fails([{"huge_line": 100 << 20, "at": 0}], 76, "8 MiB")
        self.assertTrue(self.posts(stub)[0].done["client_closed"])

    @each_protocol
    def test_S10_deep_json(self, protocol):
        result, _ = self.ask([{"deep_json": 1_000_000, "at": 0}], protocol,
                             args=["--retries", "0"], preexec_fn=harness.small_stack)
        self.assertIn(result.status, (75, 76))
        self.assertEqual(result.out, b"")

    def test_S9_S10_H13_limits_are_where_they_are_said_to_be(self):
        def event(length=0, depth=0):
            head = '{"choices":[{"index":0,"delta":{"content":"a"}}],"x":'
            tail = "[" * depth + "]" * depth if depth else json.dumps("x" * length)
            return {"frames": [head + tail + "}", "[DONE]"]}

        def document(length):
            return {"raw": json.dumps({"choices": [{"message": {"content": "a"}}],
                                       "x": "x" * length}),
                    "content_type": "application/json"}

        def heads(count):
            return {"text": "a", "headers": {f"X-{i}": "x" * (90 << 10)
                                             for i in range(count)}}
        for rule in (event(length=(8 << 20) - 200), event(depth=63), heads(3)):
            self.answered([rule], "a\n")
        for rule, status, words in ((event(length=8 << 20), 76, "8 MiB"),
                                    (event(depth=64), 75, "not valid JSON"),
                                    (document(64 << 20), 76, "64 MiB"),
                                    (heads(4), 76, "header")):
            self.fails([rule], status, words, args=["--retries", "0"])
        # Of an error's body a part is kept, and reading it ends soon.
        result, stub = self.ask([{"status": 503, "raw": "e" * (8 << 20),
                                  "framing": "chunked"}], args=["--retries", "0"])
        self.assert_status(result, 75)
        self.assertTrue(self.posts(stub)[0].done["client_closed"])

    def test_S11_usage_of_any_kind_never_costs_the_answer(self):
        counts = ("1e400", "-1", "1180591620717411303424", "null", '"many"', "12.5")
        for count in counts:
            usage = "{%s}" % ",".join(f'"{name}":{count}' for name in (
                "prompt_tokens", "completion_tokens", "input_tokens", "output_tokens",
                "promptTokenCount", "candidatesTokenCount"))
            for protocol in ("openai-chat", "openai-responses", "anthropic", "gemini"):
                self.answered_without_usage({"text": "a", "usage_raw": usage}, protocol)
            line = ('{"message":{"content":"a"},"done":true,"prompt_eval_count":%s,'
                    '"eval_count":%s}' % (count, count))
            self.answered_without_usage({"raw": line}, "ollama")
        for usage in ("null", "[]", '"many"', "12"):
            self.answered_without_usage({"text": "a", "usage_raw": usage}, "openai-chat")

    def answered_without_usage(self, rule, protocol):
        with self.subTest(protocol, rule=rule):
            result, _ = self.ask([rule], protocol, args=["--json"])
            self.assert_status(result, 0)
            said = result.json()
            self.assertEqual(said["text"], "a")
            self.assertIsNone(said["usage"]["input"])
            self.assertIsNone(said["usage"]["output"])
            self.assertIsNone(said["cost"]["usd"])

    def test_S11_usage_as_text_and_twice(self):
        result, _ = self.ask([{"text": "a", "usage_raw":
                               '{"prompt_tokens":"12","completion_tokens":3.0}'}],
                             args=["--json"])
        self.assertEqual((result.json()["usage"]["input"],
                          result.json()["usage"]["output"]), (12, 3))

    @each_protocol
    def test_P2_usage_absent_is_unknown_not_zero(self, protocol):
        result, _ = self.ask([{"text": "a", "usage": "omit"}], protocol,
                             args=["--json"])
        self.assert_status(result, 0)
        self.assertIsNone(result.json()["usage"]["output"])
        self.assertIsNone(result.json()["cost"]["usd"])

    @each_protocol
    def test_P3_cost_is_what_the_tokens_cost(self, protocol):
        result, _ = self.ask([{"text": "a", "usage": {"input": 1234, "output": 56}}],
                             protocol, args=["--json"],
                             model={"price": {"input": 3.0, "output": 15.0}})
        usd = float(result.json()["cost"]["usd"])
        self.assertAlmostEqual(usd, 1234 * 3e-6 + 56 * 15e-6, delta=usd * 1e-12)

    @each_protocol
    def test_P1_the_model_that_served_is_named(self, protocol):
        result, _ = self.ask([{"text": "a", "served": "m-2026"}], protocol,
                             args=["--json"])
        self.assertEqual(result.json()["model"]["served"], "m-2026")

    def test_S12_nothing_counts_after_the_end(self):
        for protocol in PROTOCOLS:
            self.answered([{"chunks": ["a", "b"], "dup_terminal": True}], "ab\n", protocol)
        delta = '{"choices":[{"index":0,"delta":{"content":"%s"}}]}'
        self.answered([{"frames": [delta % "a", "[DONE]", delta % "b", "{"]}], "a\n")

    def test_S12_a_second_start(self):
        self.fails([{"chunks": ["a", "b"], "dup_start": True}], 76, "second message",
                   "anthropic")

    @each_protocol
    def test_S13_a_connection_that_stays_open_after_the_end(self, protocol):
        rule = {"text": "a b"}
        usual = min(self.answered([rule], "a b\n", protocol)[0].elapsed
                    for _ in range(3))
        odd = min(self.answered([rule | {"after_terminal_hang": True}], "a b\n",
                                protocol)[0].elapsed for _ in range(3))
        self.assertLess(odd, usual + 20)

    @each_protocol
    def test_S15_no_text_is_not_an_answer(self, protocol):
        self.fails([{"chunks": [], "finish": "stop"}], 3, "empty", protocol)

    def test_S16_filter_and_refusal(self):
        refusal = ('{"choices":[{"index":0,"delta":{"refusal":"I cannot"}}]}',
                   '{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}', "[DONE]")
        self.fails([{"frames": list(refusal)}], 3, "refused", out=b"I cannot\n")
        self.fails([{"text": "I cannot", "finish": "refusal"}], 3, "refused",
                   "anthropic", out=b"I cannot\n")
        self.fails([{"text": "a", "finish": "filter"}], 3, "content filter", out=b"a\n")

    @each_protocol
    def test_S17_length(self, protocol):
        rule = {"text": "a", "finish": "length"}
        self.fails([rule], 3, "token limit", protocol, out=b"a\n")
        self.answered([rule], "a\n", protocol, args=["--max-tokens", "5"])

    @each_protocol
    def test_H16_endless_answer(self, protocol):
        result, stub = self.ask([{"endless": 1 << 30}], protocol,
                                stdout=subprocess.DEVNULL)
        self.assert_status(result, 3)
        self.assertIn("16 MiB", result.err)
        self.assertTrue(self.posts(stub)[0].done["client_closed"])

    @each_protocol
    def test_P8_document_instead_of_a_stream(self, protocol):
        self.answered([{"chunks": ODD, "force_stream": False, "chunk": 3}], ODD_TEXT,
                      protocol)

    @each_protocol
    def test_malformed_event(self, protocol):
        self.fails([{"chunks": ["ab", "c"], "bad_json": True}], 3, "not valid JSON",
                   protocol, out=b"ab")


if __name__ == "__main__":
    unittest.main()
