"""X8: while a model is silent, another is asked beside it, where a route says so."""

import concurrent.futures
import json
import signal
import sqlite3
import time
import unittest

import harness

USAGE = {"prompt_tokens": 10, "completion_tokens": 5}
MODEL = {"price": {"input": 1, "output": 1}, "tags": ["tools"]}
KNOWN = {"model": "a", "times": 50, "chunks": ["quick"], "usage": USAGE}
SILENT = {"model": "a", "hang_header": True}
FROM_B = {"model": "b", "chunks": ["from b"], "usage": USAGE}


def late(model, seconds, **more):
    return {"model": model, "delay_first_ms": 1000 * seconds, "usage": USAGE,
            "chunks": ["from ", model]} | more


def frame(delta, finish=None):
    return json.dumps({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})


class Hedge(harness.TestCase):
    def serve(self, rules, models=("a", "b"), known=True, route=None, extra="",
              abilities=None):
        """A route from a to b, and a of which 50 quick answers are known."""
        self.server = self.stub(([KNOWN] if known else []) + rules)
        chain = {"models": list(models), "select": "ordered", "hedge": True}
        self.config = harness.stub_config(
            self.server,
            {m: MODEL | ({"ability": abilities[m]} if abilities else {}) for m in models},
            extra=harness.table("[routes.chain]", chain | (route or {})) + extra)
        if known:
            with concurrent.futures.ThreadPoolExecutor(4) as pool:
                for result in pool.map(lambda _: self.run_llmroute(
                        ["run", "-m", "a", "-p", "Hi"], config=self.config), range(50)):
                    self.assertEqual(result.out, b"quick\n")
            self.first = len(self.server.requests())
        else:
            self.first = 0

    def ask(self, *args, **options):
        began = time.monotonic()
        result = self.run_llmroute(["run", "-r", "chain", "-p", "Hi", *args],
                                   config=self.config, **options)
        self.took = time.monotonic() - began
        return result

    def asked(self):
        return [r.model for r in self.server.requests()[self.first:]]

    def attempts(self):
        """Of the last decision: what the ledger has of its calls."""
        return self.ledger(
            "SELECT model, state, cause, hedge, charged_as, charged_pico, worst_pico"
            " FROM attempts WHERE decision=(SELECT max(id) FROM decisions)"
            " ORDER BY number")

    def ledger(self, sql):
        with sqlite3.connect(self.home.file(".local/state/llmroute/ledger.db")) as ledger:
            return ledger.execute(sql).fetchall()

    def assert_from_b(self, result):
        self.assert_status(result, 0)
        self.assertEqual(result.out, b"from b\n")
        self.assertEqual(self.asked(), ["a", "b"])

    def test_X8_ten_seconds_for_a_model_of_which_nothing_is_known(self):
        self.serve([SILENT, FROM_B], known=False)
        result = self.ask("--json")
        self.assertGreaterEqual(self.took, 10)
        self.assertLess(self.took, 14)
        self.assertIn("a: nothing for 10.0 s; asking b as well", result.err)
        document = result.json()
        self.assertEqual(document["model"]["used"], "b")
        self.assertGreaterEqual(document["timing_ms"]["total"], 10_000)
        first, second = document["attempts"]
        self.assertEqual((first["model"], first["class"], first["cause"]),
                         ("a", "cancelled", "outrun"))
        self.assertEqual((second["model"], second["hedge"], second["waited_ms"]),
                         ("b", True, 10_000))

    def test_X8_two_seconds_for_one_that_is_quick_and_both_are_in_the_ledger(self):
        self.serve([SILENT, FROM_B])
        result = self.ask()
        self.assert_from_b(result)
        self.assertGreaterEqual(self.took, 2)
        self.assertLess(self.took, 5)
        (a, b) = self.attempts()
        self.assertEqual(a[:5], ("a", "failed", "outrun", None, "unknown"))
        self.assertEqual(a[5], a[6], "no usage arrived: its worst case")
        self.assertEqual(b[:5], ("b", "answered", None, 1, "usage"))

    def test_X8_whoever_is_slower_is_cancelled_within_100_ms(self):
        self.serve([SILENT, FROM_B])
        self.assert_from_b(self.ask())
        events = self.server.events()
        requests = {r.model: r for r in self.server.requests()[self.first:]}
        done = {e["seq"]: e for e in events if e["event"] == "done"}
        first_word = done[requests["b"].seq]["first_delta_t"]
        closed = [e["t"] for e in events if e["event"] == "close"
                  and e["conn"] == requests["a"].conn]
        self.assertEqual(len(closed), 1)
        self.assertLess(closed[0] - first_word, 100e6)

    def test_X8_the_first_to_begin_answers_even_if_the_other_was_asked(self):
        self.serve([late("a", 3), late("b", 5)])
        result = self.ask()
        self.assert_status(result, 0)
        self.assertEqual(result.out, b"from a\n")
        self.assertEqual(self.asked(), ["a", "b"])
        self.assertLess(self.took, 5)
        self.assertEqual([row[:4] for row in self.attempts()],
                         [("a", "answered", None, None), ("b", "failed", "outrun", 1)])

    def test_X8_nobody_else_is_asked_while_a_model_thinks(self):
        thinks = {"model": "a", "delay_chunk_ms": 3000, "frames": [
            frame({"reasoning_content": "Let me see"}), frame({"content": "from a"}),
            frame({}, "stop"), "[DONE]"]}
        self.serve([thinks, FROM_B])
        result = self.ask()
        self.assertEqual(result.out, b"from a\n")
        self.assertGreater(self.took, 3)
        self.assertEqual(self.asked(), ["a"])

    def test_X8_off_unless_the_route_says_so(self):
        self.serve([late("a", 3), FROM_B], route={"hedge": False})
        self.assertEqual(self.ask().out, b"from a\n")
        self.assertEqual(self.asked(), ["a"])

    def test_X8_never_without_a_next_model_nor_with_tools_nor_without_the_ledger(self):
        tools = self.home.write("tools.json", json.dumps(
            [{"name": "f", "parameters": {"type": "object"}}]))
        for args, seconds in ((["--no-fallback"], 3), (["--tools", tools], 3),
                              (["--no-ledger"], 11)):
            with self.subTest(args):
                self.serve([late("a", seconds), FROM_B])
                result = self.ask(*args)
                self.assert_status(result, 0)
                self.assertEqual(result.out, b"from a\n")
                self.assertEqual(self.asked(), ["a"])

    def test_X8_only_if_both_worst_cases_fit(self):
        self.serve([late("a", 3), FROM_B])
        worst = json.loads(self.run_llmroute(
            ["explain", "-r", "chain", "-p", "Hi", "--max-tokens", "100", "--json"],
            config=self.config).out)["candidates"][0]["worst_cost_usd"]
        for times, asked in ((1.9, ["a"]), (2.1, ["a", "b"])):
            self.serve([late("a", 3), FROM_B])
            result = self.ask("--max-tokens", "100", "--max-cost", f"{worst * times:.9f}")
            self.assert_status(result, 0)
            self.assertEqual(self.asked(), asked)

    def test_X8_nor_to_a_model_that_keeps_failing(self):
        self.serve([late("a", 3), {"model": "b", "status": 500, "times": 5}, FROM_B])
        for _ in range(5):
            self.run_llmroute(["run", "-m", "b", "--retries", "0", "-p", "Hi"],
                              config=self.config)
        self.first = len(self.server.requests())
        self.assertEqual(self.ask().out, b"from a\n")
        self.assertEqual(self.asked(), ["a"])

    def test_X8_nor_beside_a_probe(self):
        self.serve([{"model": "a", "status": 500, "times": 5}, late("a", 3), FROM_B])
        for _ in range(5):
            self.run_llmroute(["run", "-m", "a", "--retries", "0", "-p", "Hi"],
                              config=self.config)
        self.first = len(self.server.requests())
        time.sleep(6.1)  # its breaker is half-open now
        self.assertEqual(self.ask().out, b"from a\n")
        self.assertEqual(self.asked(), ["a"])

    def test_X8_once_in_a_request(self):
        fails = {"model": "b", "frames": [frame({"reasoning_content": "Hm"}),
                                          json.dumps({"error": {"message": "no"}})]}
        self.serve([{"model": "a", "status": 503, "times": 1}, SILENT | {"times": 1},
                    late("a", 3), fails])
        result = self.ask("--json")
        self.assert_status(result, 0)
        self.assertEqual(result.json()["text"], "from a")
        self.assertEqual(self.asked(), ["a", "a", "b", "a"])
        self.assertEqual([(a["model"], a["cause"]) for a in result.json()["attempts"][:-1]],
                         [("a", "http 503"), ("b", "error in reply"), ("a", "outrun")])

    def test_X8_a_retry_that_was_due_is_made(self):
        self.serve([{"model": "a", "status": 503, "delay_headers_ms": 2500, "times": 1},
                    {"model": "a", "chunks": ["from a"]}, {"model": "b", "status": 404}])
        result = self.ask()
        self.assert_status(result, 0)
        self.assertEqual(self.asked(), ["a", "b", "a"])

    def test_X8_an_error_in_a_document_is_no_answer(self):
        self.serve([late("a", 4), {"model": "b", "status": 200, "framing": "length",
                                   "raw": '{"error": {"message": "overloaded"}}'}])
        result = self.ask()
        self.assert_status(result, 0)
        self.assertEqual(result.out, b"from a\n")
        self.assertEqual(self.asked(), ["a", "b"])

    def test_X8_a_second_that_breaks_off_is_who_is_blamed(self):
        self.serve([SILENT, {"model": "b", "delay_chunk_ms": 60_000, "frames": [
            frame({"reasoning_content": "Hm"}), frame({"content": "late"})]}])
        result = self.ask("--timeout", "5s", "--json")
        self.assert_status(result, 75)
        self.assertEqual(result.json()["model"]["used"], "b")
        self.serve([{"model": "a", "delay_headers_ms": 2500, "status": 500},
                    late("b", 2, no_terminal=True)])
        result = self.ask("--format", "jsonl")
        self.assert_status(result, 3)
        error = json.loads(result.out.splitlines()[-1])
        self.assertEqual((error["event"], error["model"]), ("error", "b"))

    def test_X8_a_stronger_model_that_failed_beside_may_still_be_asked(self):
        self.serve([late("a", 4), {"model": "b", "status": 503, "times": 1},
                    {"model": "b", "chunks": ["good"]}], abilities={"a": 0.0, "b": 3.0})
        result = self.ask("--check", "grep -q good")
        self.assert_status(result, 0)
        self.assertEqual(self.asked(), ["a", "b", "b"])

    def test_X8_nor_one_whose_key_a_command_gives(self):
        lab = harness.table("[providers.lab]", {
            "protocol": "openai-chat", "base_url": "https://127.0.0.1:1/v1",
            "key_command": ["sleep", "9"]})
        b = harness.table("[models.b]", {"provider": "lab", "ability": 0.1,
                                         "max_output_tokens": 100} | MODEL)
        self.serve([late("a", 3)], models=("a",), extra=lab + b, route={"models": ["a", "b"]})
        self.assertEqual(self.ask().out, b"from a\n")
        self.assertLess(self.took, 5)

    def test_X8_a_stronger_model_that_was_outrun_may_still_be_asked(self):
        self.serve([SILENT | {"times": 1}, {"model": "a", "chunks": ["good"]}, FROM_B],
                   abilities={"a": 3.0, "b": 0.0})
        result = self.ask("--check", "grep -q good")
        self.assert_status(result, 0)
        self.assertEqual(result.out, b"good\n")
        self.assertEqual(self.asked(), ["a", "b", "a"])

    def test_X8_five_of_a_hundred_requests_however_many_ask_at_once(self):
        self.serve([late("a", 6), FROM_B])
        with concurrent.futures.ThreadPoolExecutor(12) as pool:
            results = list(pool.map(lambda _: self.ask(), range(12)))
        outs = [result.out for result in results]
        self.assertEqual((outs.count(b"from b\n"), outs.count(b"from a\n")), (5, 7))
        self.assertEqual(self.asked().count("b"), 5)

    def test_X8_both_fail_and_the_next_is_asked(self):
        broken = {"model": "a", "delay_headers_ms": 3000, "status": 404}
        also = {"model": "b", "delay_headers_ms": 2000, "status": 404}
        self.serve([broken, also, {"model": "c", "chunks": ["from ", "c"]}],
                   models=("a", "b", "c"))
        result = self.ask("--json")
        self.assert_status(result, 0)
        self.assertEqual(result.json()["text"], "from c")
        self.assertEqual([a["model"] for a in result.json()["attempts"]], ["b", "a", "c"])

    def test_X8_one_fails_while_the_other_answers(self):
        self.serve([{"model": "a", "delay_headers_ms": 2500, "status": 500}, late("b", 2)])
        self.assert_from_b(self.ask())
        self.assertEqual([row[:4] for row in self.attempts()],
                         [("a", "failed", "http 500", None), ("b", "answered", None, 1)])

    def test_X8_a_command_is_asked_beside_another_only_if_it_is_pure(self):
        for pure in (False, True):
            with self.subTest(pure):
                exec_provider = harness.table("[providers.tool]", {
                    "protocol": "exec", "command": ["/bin/echo", "-n", "from tool"],
                    "pure": pure})
                tool = harness.table("[models.tool]", {"provider": "tool", "ability": 0.1, "max_output_tokens": 100} | MODEL)
                self.serve([late("a", 3)], models=("a",), extra=exec_provider + tool,
                           route={"models": ["a", "tool"]})
                self.assertEqual(self.ask().out, b"from tool\n" if pure else b"from a\n")

    def test_X8_events_name_the_hedge(self):
        self.serve([SILENT, FROM_B])
        result = self.ask("--format", "jsonl")
        events = [json.loads(line) for line in result.out.splitlines()]
        self.assertEqual([e["event"] for e in events],
                         ["route", "attempt", "attempt", "delta", "done"])
        self.assertEqual([(e["number"], e["model"], e.get("hedge")) for e in events[1:3]],
                         [(1, "a", None), (2, "b", True)])

    def test_X8_an_interrupt_ends_both(self):
        self.serve([SILENT, {"model": "b", "hang_header": True}])
        process = self.spawn_llmroute(["run", "--no-stdin", "-r", "chain", "-p", "Hi"],
                                      config=self.config)
        while len(self.asked()) < 2:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(timeout=5), -signal.SIGINT)
        self.assertEqual([row[4] for row in self.attempts()], ["unknown", "unknown"])

    def test_X8_an_interrupt_ends_a_write_that_blocks(self):
        for chunks in (["x" * 1000] * 1000, ["x" * 400_000]):
            self.serve([SILENT, {"model": "b", "chunks": chunks, "usage": USAGE}])
            process = self.spawn_llmroute(["run", "--no-stdin", "-r", "chain", "-p", "Hi"],
                                          config=self.config)
            time.sleep(4)  # nobody reads, and the pipe is full
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(timeout=5), -signal.SIGINT)
            took = self.ledger("SELECT ms FROM attempts WHERE cause='outrun' "
                               "ORDER BY decision DESC")[0][0]
            self.assertLess(took, 3500, "until it was cancelled, not until somebody read")

    def test_X8_an_interrupt_while_the_process_was_stopped(self):
        self.serve([SILENT, FROM_B])
        process = self.spawn_llmroute(["run", "--no-stdin", "-r", "chain", "-p", "Hi"],
                                      config=self.config)
        time.sleep(1)
        process.send_signal(signal.SIGSTOP)
        time.sleep(2)
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGCONT)
        self.assertEqual(process.wait(timeout=5), -signal.SIGINT)
        self.assertEqual(self.asked(), ["a"])

    def test_X8_a_batch_does_not_hedge(self):
        self.serve([late("a", 3), FROM_B])
        result = self.run_llmroute(["batch", "--lines", "-r", "chain", "-"],
                                   config=self.config, stdin=b"Hi\n")
        self.assert_status(result, 0)
        self.assertEqual(self.asked(), ["a"])

    def test_explain_says_that_another_may_be_asked(self):
        self.serve([])
        for args, said in (
                ([], ["hedge      b may be asked as well after 2.0 s of silence"]),
                (["--no-fallback"], [])):
            result = self.run_llmroute(["explain", "-r", "chain", "-p", "Hi", *args],
                                       config=self.config)
            lines = result.out.decode().splitlines()
            self.assertEqual([line for line in lines if line.startswith("hedge")], said)


if __name__ == "__main__":
    unittest.main()
