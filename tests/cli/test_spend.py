"""The usage command: what was spent, what it saved, what is left; and the care
of a ledger."""

import contextlib
import csv
import io
import json
import os
import pty
import shutil
import signal
import sqlite3
import subprocess
import time
import unittest

import harness
import test_ledger

USAGE = {"prompt_tokens": 1000, "completion_tokens": 500}
REPLY = [{"chunks": ["Hello"], "usage": USAGE}]
COST = 0.002  # of that at one and two dollars a million tokens


class SpendCase(test_ledger.LedgerCase):
    def two_models(self, extra="", rules=None):
        self.server = self.stub(rules or REPLY)
        return harness.stub_config(
            self.server, {"a": {}, "b": {"price": {"input": 10.0, "output": 20.0},
                                         "ability": 2.0}}, extra=extra)

    def usage(self, *args, config="", status=0, **options):
        result = self.run_llmroute(["usage", *args], config=config, **options)
        self.assert_status(result, status)
        return result

    def report(self, *args, **options):
        return self.usage("--json", *args, **options).json()

    def rows(self, by, **options):
        names = by.split(",")
        return {tuple(row[name] for name in names): row
                for row in self.report("--by", by, **options)["rows"]}


class Sums(SpendCase):
    def test_by_groups(self):
        config = self.two_models()
        self.ask(config, "-m", "a", "--tag", "team=search", "--tag", "job=x")
        self.ask(config, "-m", "a", "--tag", "team=search")
        self.ask(config, "-m", "b", "--profile", "quality")
        self.assertEqual({keys: row["calls"] for keys, row in
                          self.rows("tag").items()},
                         {("",): 1, ("job=x",): 1, ("team=search",): 2})
        self.assertEqual({keys: row["usd"] for keys, row in
                          self.rows("model,profile").items()},
                         {("a", "balanced"): 2 * COST, ("b", "quality"): 10 * COST})
        for by, keys in (("provider", {("openai-chat",)}), ("route", {("",)}),
                         ("day", {(time.strftime("%Y-%m-%d", time.gmtime()),)})):
            self.assertEqual(set(self.rows(by)), keys)
        total = self.report()["total"]
        self.assertEqual((total["calls"], total["input_tokens"],
                          total["output_tokens"], total["usd"]),
                         (3, 3000, 1500, 12 * COST))

    def test_attempts_that_failed_are_billed_and_unknown_is_never_0(self):
        config = self.two_models(rules=[
            {"model": "a", "chunks": ["Hel", "lo"], "cut_after": 1, "usage": None},
            {"model": "b", "chunks": ["x"], "usage": "omit"}])
        self.ask(config, "-m", "a", "--retries", "0", "--max-tokens", "10")
        self.ask(config, "-m", "b", "--max-tokens", "10")
        row = self.rows("model")
        self.assertIsNone(row[("b",)]["usd"])
        self.assertEqual((row[("b",)]["unknown"], row[("b",)]["estimated"]), (1, 1))
        self.assertGreater(row[("b",)]["charged_usd"], 0)
        self.assertEqual((row[("a",)]["answered"], row[("a",)]["unknown"]), (0, 1))
        self.assertGreater(row[("a",)]["charged_usd"], 0)
        text = self.usage().text
        self.assertIn("?", text)
        self.assertIn("unknown  2 calls: 1 answered without a count or a price, 0 "
                      "whose process died, 1 broken off", text)

    def test_since_and_until(self):
        self.ask(self.two_models())
        self.query("UPDATE daily SET day='2026-01-05'")
        self.assertEqual(self.report()["total"]["calls"], 0)
        for args, calls in ((("--since", "2026-01-05"), 1),
                            (("--since", "2026-01-06"), 0),
                            (("--since", "2026-01-01", "--until", "2026-01-04"), 0),
                            (("--since", "2026-01-01", "--until", "2026-01-05"), 1),
                            (("--since", "7d"), 0), (("--since", "36500d"), 1)):
            self.assertEqual(self.report(*args)["total"]["calls"], calls, args)
        self.usage("--since", "2026-02-01", "--until", "2026-01-01", status=64)
        for bad in ("soon", "2026-02-30", "0d", "-1d", "7", "2026-1-1"):
            self.usage("--since", bad, status=64)

    def test_ledgers_are_added_up(self):
        config = self.two_models()
        paths = [self.home.file("work", name) for name in ("a.db", "b.db")]
        for path in paths:
            self.ask(config, "-m", "a", "--ledger", path)
        self.ask(config, "-m", "b", "--ledger", paths[1])
        report = self.report("--ledger", paths[0], "--ledger", paths[1])
        self.assertEqual([(row["model"], row["calls"]) for row in report["rows"]],
                         [("a", 2), ("b", 1)])
        self.assertEqual(report["total"]["usd"], 12 * COST)
        self.usage("--ledger", paths[0], "--ledger", "nowhere.db", status=66)

    def test_a_ledger_is_only_read(self):
        path = self.home.file("work", "mine.db")
        self.ask(self.two_models(), "--ledger", path)
        self.query("PRAGMA wal_checkpoint(TRUNCATE)", path)
        with open(path, "rb") as file:
            before = file.read()
        self.usage("--ledger", path)
        with open(path, "rb") as file:
            self.assertEqual(file.read(), before)

    def test_nothing_recorded_yet(self):
        result = self.usage()
        self.assertIn("nothing has been recorded yet", result.err)
        self.assertEqual(self.report()["total"]["calls"], 0)
        self.assertFalse(os.path.exists(self.home.file(".local/state")))
        self.usage(env={"LLMROUTE_LEDGER": "off"}, status=64)

    def test_LLMROUTE_LEDGER_names_the_ledger(self):
        path = self.home.file("work", "mine.db")
        self.ask(self.two_models(), "--ledger", path)
        env = {"LLMROUTE_LEDGER": path}
        self.assertEqual(self.report(env=env)["ledgers"], [path])

    def test_a_file_that_is_no_ledger_is_refused(self):
        path = self.home.write("work/no.db", b"this is no database" * 100)
        self.usage("--ledger", path, status=74)


class Savings(SpendCase):
    def baselines(self, config):
        return {row["name"]: row for row in self.report(config=config)["baselines"]}

    def test_against_strongest_cheapest_and_each_constant(self):
        config = self.two_models()
        self.ask(config, "-m", "a,b")  # both are candidates
        self.ask(config, "-m", "a,b")
        found = self.baselines(config)
        for name, usd in (("strongest", 20 * COST), ("b", 20 * COST),
                          ("cheapest", 2 * COST), ("a", 2 * COST)):
            row = found[name]
            self.assertEqual((row["usd"], row["spent_usd"], row["compared"],
                              row["not_compared"]), (usd, 2 * COST, 2, 0), name)
            self.assertAlmostEqual(row["saved_usd"], usd - 2 * COST)
        self.assertEqual([found[n]["constant"] for n in ("strongest", "b")],
                         [False, True])

    def test_the_table_leaves_out_the_middle_of_a_long_list(self):
        self.server = self.stub(REPLY)
        config = harness.stub_config(self.server, {
            f"m{n:02}": {"price": {"input": n, "output": n}} for n in range(1, 31)})
        self.ask(config, "-m", "m01")
        self.assertEqual(len(self.baselines(config)), 32)
        table = self.usage(config=config).text.split("INSTEAD")[1].splitlines()[1:]
        self.assertEqual([line.split("  ")[0] for line in table], [
            "the strongest candidate", "the cheapest candidate", "m30", "m29", "m28",
            "m27", "22 more (--json)", "m04", "m03", "m02", "m01"])

    def test_built_in_models_that_never_answered_are_no_alternative(self):
        config = self.two_models()
        self.ask(config, "-m", "a")
        keys = {"OPENAI_API_KEY": harness.KEY}
        report = self.report(config=config, env=keys)
        self.assertEqual([row["name"] for row in report["baselines"]],
                         ["strongest", "cheapest", "b", "a"])

    def test_a_loss_of_more_than_all_is_told_as_a_multiple(self):
        config = self.two_models()
        self.ask(config, "-m", "b")
        rows = {line.split("  ")[0]: line for line in
                self.usage(config=config).text.split("INSTEAD")[1].splitlines()}
        self.assertRegex(rows["a"], r"-\$[0-9.]+ \(routing cost 10.0 x as much\)")
        self.assertRegex(rows["b"], r" \$0 \(0 %\)")

    def test_calls_without_tokens_are_not_compared_and_counted(self):
        config = self.two_models(rules=[{"nth": 1, "chunks": ["x"], "usage": "omit"},
                                        *REPLY])
        self.ask(config, "-m", "a", "--max-tokens", "10")
        self.assertIsNone(self.baselines(config)["a"]["usd"])
        self.ask(config, "-m", "a")
        row = self.baselines(config)["a"]
        self.assertEqual((row["usd"], row["compared"], row["not_compared"]),
                         (COST, 1, 1))
        self.assertIn("1 call", self.usage(config=config).text)

    def test_without_a_worst_case_what_is_likely_is_charged(self):
        stub = self.stub([{"chunks": ["x" * 400], "usage": "omit"}])
        config = harness.stub_config(
            stub, {"a": {"max_output_tokens": None, "context_window": None}})
        self.assert_status(self.ask(config), 0)
        total = self.report(config=config)["total"]
        self.assertEqual((total["usd"], total["estimated"]), (None, 1))
        self.assertGreater(total["likely_usd"], 0)
        self.assertEqual(total["charged_usd"], total["likely_usd"])

    def test_a_call_without_a_price_is_compared_with_nothing(self):
        self.server = self.stub(REPLY)
        config = harness.stub_config(self.server, {"a": {}, "free": {"price": None}})
        for model in ("a", "free"):
            self.assert_status(self.ask(config, "-m", model), 0)
        row = self.baselines(config)["a"]
        self.assertEqual((row["usd"], row["spent_usd"], row["compared"],
                          row["not_compared"]), (COST, COST, 1, 1))
        self.assertEqual(self.report()["total"]["input_tokens"], 2000)

    def test_a_model_that_charges_for_reasoning_is_no_baseline(self):
        self.server = self.stub(REPLY)
        config = harness.stub_config(self.server, {"a": {}, "t": {
            "price": {"input": 1.0, "output": 2.0, "reasoning": 50.0}}})
        self.ask(config, "-m", "t")
        self.assertNotIn("t", self.baselines(config))

    def test_sums_that_no_integer_holds_lose_no_call(self):
        """An account that nobody can have: 300 billion tokens, three times."""
        huge = {"prompt_tokens": 1, "completion_tokens": 300_000_000_000}
        self.server = self.stub([{"chunks": ["x"], "usage": huge}])
        config = harness.stub_config(
            self.server, {"a": {"price": {"input": 1.0, "output": 25.0}}})
        for _ in range(3):
            self.assertNotIn("spill", self.ask(config).err)
        total = self.report("--ledger", self.path())["total"]
        self.assertEqual(total["calls"], 3)
        self.assertEqual(total["usd"], 1_000_000)

    def test_failures_are_part_of_what_was_spent(self):
        config = self.two_models(rules=[
            {"model": "a", "nth": 1, "chunks": ["x"], "no_terminal": True}, *REPLY])
        result = self.ask(config, "-m", "a,b", "--no-stream", "--max-tokens", "10",
                          "--retries", "0")
        self.assert_status(result, 0)
        total = self.report(config=config)["total"]
        row = self.baselines(config)["b"]
        self.assertEqual(total["failed"], 1)
        self.assertEqual(row["spent_usd"], round(
            total["usd"] + total["likely_usd"], 12))
        self.assertGreater(row["spent_usd"], row["usd"])
        self.assertLess(row["saved_usd"], 0)

    def test_calls_of_functions_count_in_what_an_answer_is_likely_to_have_cost(self):
        tools = self.home.write("tools.json", '[{"name":"f"}]')
        record = '{"prompt":"Hi","tools":[{"name":"f"}]}\n'
        by_run = lambda config: self.ask(config, "--tools", tools)
        by_batch = lambda config: self.run_llmroute(["batch"], stdin=record, config=config,
                                                    timeout=60)
        likely, sizes = [0], []
        for ask, size in ((by_run, 1), (by_run, 4001), (by_batch, 1), (by_batch, 4001)):
            stub = self.stub([{"usage": "omit", "tool_calls": [
                {"name": "f", "id": "c", "arguments": json.dumps({"a": "x" * size})}]}])
            config = harness.stub_config(stub, {"a": {"tags": ["tools"]}})
            self.assert_status(ask(config), 0)
            likely.append(self.report(config=config)["total"]["likely_usd"])
            with contextlib.closing(sqlite3.connect(
                    self.home.file(".local/state/llmroute/ledger.db"))) as file:
                sizes += file.execute("SELECT answer_bytes FROM decisions "
                                      "ORDER BY rowid DESC LIMIT 1").fetchone()
        least = len('f{"a": "x"}')
        self.assertEqual(sizes, [least, least + 4000] * 2)
        each = [after - before for before, after in zip(likely, likely[1:])]
        for small, large in (each[:2], each[2:]):  # a token has 4 bytes
            self.assertAlmostEqual(large - small, 1000 * 2e-6, places=9)

    def test_a_reader_that_leaves_is_charged_the_worst_case_but_saves_by_the_likely(self):
        config = self.two_models(rules=[
            {"nth": 1, "words": 4000, "delay_chunk_ms": 5}, *REPLY])
        process = self.spawn_llmroute(["-m", "a", "Say words"], config=config)
        process.stdin.close()
        self.assertTrue(process.stdout.read(5))
        process.stdout.close()
        self.assertEqual(process.wait(20), -signal.SIGPIPE)
        self.ask(config, "-m", "a")
        total = self.report(config=config)["total"]
        self.assertEqual((total["calls"], total["unknown"]), (2, 1))
        self.assertGreater(total["charged_usd"], 4 * COST)
        self.assertGreater(total["likely_usd"], 0)
        self.assertLess(total["likely_usd"], COST)
        self.assertEqual(self.baselines(config)["a"]["spent_usd"],
                         round(COST + total["likely_usd"], 12))
        self.assertRegex(self.usage().text, r"1 broken off; charged as their worst case "
                         r"if it has a bound, about \$0\.0000\d+ by what was sent "
                         r"and received\n")


class Forms(SpendCase):
    def test_a_ledger_that_is_named_twice_counts_once(self):
        self.ask(self.two_models(), "-m", "a")
        link = self.path() + ".link"
        os.link(self.path(), link)
        for other in (self.path(), link):
            both = self.report("--ledger", self.path(), "--ledger", other)
            self.assertEqual(both["total"]["calls"], 1)

    def test_until_alone_is_of_that_month(self):
        self.ask(self.two_models(), "-m", "a")
        report = self.report("--until", "2024-02-10")
        self.assertEqual((report["since"], report["until"]),
                         ("2024-02-01", "2024-02-10"))

    def test_json_is_stable(self):
        self.ask(self.two_models())
        report = self.report()
        self.assertEqual(report["schema"], "llmroute.usage/1")
        self.assertEqual(list(report), ["schema", "since", "until", "ledgers", "by",
                                        "rows", "total", "held", "baselines",
                                        "ceilings", "days"])
        self.assertEqual(list(report["rows"][0]),
                         ["model", "calls", "answered", "failed", "ms",
                          "input_tokens", "cached_tokens", "output_tokens", "usd",
                          "charged_usd", "likely_usd", "unknown", "estimated",
                          "orphans"])

    def test_A16_csv_cells_are_never_formulas(self):
        config = self.two_models()
        for value in ("x", "+1", "-1", "@x", "\tx", "\rx", 'a,"b"', "plain"):
            self.ask(config, "--tag", value + "=1")
        self.query("""UPDATE daily SET tags='{"=1+1":"1"}' """
                   """WHERE tags='{"x":"1"}'""")
        text = self.usage("--by", "tag", "--format", "csv").text
        rows = list(csv.reader(io.StringIO(text, newline="")))
        self.assertEqual(rows[0][:3], ["tag", "calls", "answered"])
        tags = {row[0] for row in rows[1:]}
        self.assertEqual(tags, {"'=1+1=1", "'+1=1", "'-1=1", "'@x=1", "'\tx=1",
                                "'\rx=1", 'a,"b"=1', "plain=1"})
        for tag in tags:
            self.assertNotIn(tag[0], "=+-@\t\r")

    def test_A13_hostile_tags_are_shown_on_a_terminal(self):
        config = self.two_models()
        self.ask(config, "--tag", "k=\x1b]52;c;QQ\x07\u202e")
        shown = self.on_terminal(["usage", "--by", "tag"])
        self.assertNotIn(b"\x1b", shown)
        self.assertIn(b"^[]52", shown)

    def on_terminal(self, args):
        main, side = pty.openpty()
        process = self.home.spawn(args, stdout=side, stdin=subprocess.DEVNULL)
        os.close(side)
        shown = b""
        try:
            while chunk := os.read(main, 65536):
                shown += chunk
        except OSError:  # the other side is closed
            pass
        os.close(main)
        process.stderr.close()
        self.assertEqual(process.wait(), 0)
        return shown

    def test_a_chart_on_a_terminal_only(self):
        self.ask(self.two_models())
        today = time.strftime("%Y-%m-%d", time.gmtime())
        self.assertIn((today + " " + "#" * 50 + " $0.0020").encode(),
                      self.on_terminal(["usage"]))
        self.assertNotIn("###", self.usage().text)

    def test_by_takes_names_once(self):
        for bad in ("colour", "model,model", "model,", ""):
            self.usage("--by", bad, status=64)


class Ceilings(SpendCase):
    EXTRA = ('[limits]\nper_day = 1.5\nper_month = 30\n'
             '[budgets.search]\ntag = "team=search"\nper_month = 5\n')

    def test_what_is_left_of_ceilings(self):
        config = self.two_models(self.EXTRA)
        self.ask(config, "-m", "a", "--tag", "team=search")
        self.ask(config, "-m", "a")
        found = {row["name"]: row for row in
                 self.report(config=config)["ceilings"]}
        self.assertEqual(set(found), {"per_day", "per_month",
                                      "budgets.search.per_month"})
        for name, limit, settled in (("per_day", 1.5, 2 * COST),
                                     ("per_month", 30, 2 * COST),
                                     ("budgets.search.per_month", 5, COST)):
            row = found[name]
            self.assertEqual((row["limit_usd"], row["settled_usd"],
                              row["held_usd"]), (limit, settled, 0))
            self.assertAlmostEqual(row["left_usd"], limit - settled)
        self.assertIn("budgets.search.per_month", self.usage(config=config).text)

    def killed(self, config):
        """A run under a ceiling that is killed while it waits for the answer."""
        process = self.spawn_llmroute(["run", "-p", "Hi", "--no-stdin", "-m", "a",
                                       "--max-tokens", "100"], config=config)
        while not self.server.requests(wait=0):
            time.sleep(0.01)
        return process

    def test_settled_and_held_stand_apart(self):
        config = self.two_models(self.EXTRA, rules=[{"chunks": ["x"],
                                                     "delay_first_ms": 60000}])
        process = self.killed(config)
        report = self.report(config=config)
        self.assertEqual(report["total"]["charged_usd"], 0)
        self.assertEqual((report["held"]["calls"], report["held"]["dead_calls"]),
                         (1, 0))
        self.assertGreater(report["held"]["usd"], 0)
        self.assertGreater(report["ceilings"][0]["held_usd"], 0)
        process.kill()
        process.wait()
        report = self.report(config=config)
        self.assertEqual((report["held"]["calls"], report["held"]["dead_calls"]),
                         (0, 1))
        self.assertIn("whose process died", self.usage(config=config).text)

    def test_release_orphans_is_explicit_and_recorded(self):
        config = self.two_models(self.EXTRA, rules=[{"chunks": ["x"],
                                                     "delay_first_ms": 60000}])
        process = self.killed(config)
        self.assertIn("released $0 of 0 calls",
                      self.usage("--release-orphans").text)  # it is alive
        process.kill()
        process.wait()
        self.assertIn("of 1 calls whose process died",
                      self.usage("--release-orphans").text)
        self.assertEqual(self.query("SELECT state, charged_as, charged_pico, "
                                    "worst_pico > 0 FROM attempts"),
                         [("orphan", "released", 0, 1)])
        report = self.report(config=config)
        self.assertEqual(report["total"]["orphans"], 1)
        self.assertEqual(report["ceilings"][0]["left_usd"], 1.5)
        self.usage("--recount")


class Upkeep(SpendCase):
    def test_check_recomputes_counters(self):
        config = self.two_models(Ceilings.EXTRA)
        for tag in ("team=search", "team=ads"):
            self.ask(config, "--tag", tag, env={"LLMROUTE_RUN": "night"})
        self.assertIn("counters are right\n", self.usage("--recount").text)
        self.usage("--recount", "--json", status=64)
        before = self.query("SELECT * FROM scopes"), self.query("SELECT * FROM daily")
        self.query("UPDATE scopes SET settled_pico=1 WHERE name LIKE 'day/%'")
        self.query("DELETE FROM scopes WHERE name LIKE '%team=search/month%'")
        self.query("UPDATE daily SET charged_pico=7 WHERE tags LIKE '%ads%'")
        result = self.usage("--recount", status=1)
        for name in ("day/", "tag/team=search/month/", "daily sums of"):
            self.assertIn(name, result.err)
        self.assertEqual((self.query("SELECT * FROM scopes"),
                          self.query("SELECT * FROM daily")), before)
        self.usage("--recount")

    def test_purge_forgets_rows_and_keeps_sums(self):
        config = self.two_models(Ceilings.EXTRA)
        self.ask(config, "--tag", "canary=gone", "--session", "talk",
                 env={"LLMROUTE_RUN": "night"})
        self.usage("--purge-before", "2020-01-01")
        self.assertEqual(self.query("SELECT name FROM sessions"), [("talk",)])
        self.assertEqual(self.query("SELECT count(*) FROM decisions"), [(1,)])
        sums = self.query("SELECT * FROM daily")
        counters = self.query("SELECT * FROM scopes")
        decision = self.query("SELECT id FROM decisions")[0][0]
        self.assertIn("removed 1 decisions",
                      self.usage("--purge-before", "2999-01-01").text)
        for table in ("decisions", "attempts", "feedback", "sessions"):
            self.assertEqual(self.query(f"SELECT count(*) FROM {table}"), [(0,)])
        self.assertEqual(self.query("SELECT * FROM daily"), sums)
        self.assertEqual(self.query("SELECT * FROM scopes"), counters)
        self.assertIn("as far as they can be checked", self.usage("--recount").text)
        tomorrow = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 86400))
        self.assertIn(f"before {tomorrow}", self.usage("--recount").text)
        folder = os.path.dirname(self.path())
        for name in os.listdir(folder):
            with open(os.path.join(folder, name), "rb") as file:
                self.assertNotIn(decision.encode(), file.read(), name)
        self.usage("--recount")  # what was purged cannot be recomputed
        self.assertEqual(self.query("SELECT * FROM scopes"), counters)

    def test_rows_of_more_than_400_days_go_by_themselves(self):
        config = self.two_models()
        self.ask(config)
        recent = self.query("SELECT id FROM decisions")
        old = "01" + "A" * 24  # early in 2010
        columns = [row[1] for row in self.query("PRAGMA table_info(decisions)")]
        self.query(f"INSERT INTO decisions SELECT '{old}', 1, " +
                   ", ".join(columns[2:]) + " FROM decisions")
        self.ask(config)
        ids = self.query("SELECT id FROM decisions ORDER BY id")
        self.assertEqual(len(ids), 2)
        self.assertIn(recent[0], ids)

    def test_K7_no_row_is_lost_while_16_write_and_one_purges(self):
        config = self.two_models()
        self.ask(config)
        backup = self.home.file("work", "backup.db")
        done = [0]
        for _ in range(3):
            processes = [self.spawn_llmroute(["run", "-p", "Hi", "--no-stdin"],
                                             config=config) for _ in range(16)]
            self.usage("--purge-before", "2020-01-01", timeout=60)
            self.query(f"VACUUM INTO '{backup}'")
            os.remove(backup)
            for process in processes:
                out, _ = process.communicate(timeout=60)
                self.assertEqual((process.returncode, out), (0, b"Hello\n"))
                done[0] += 1
        self.ask(config)  # imports what was spilled
        self.assertEqual(self.query("SELECT count(*) FROM attempts"),
                         [(done[0] + 2,)])
        self.assertEqual(self.query("SELECT sum(calls) FROM daily"), [(done[0] + 2,)])
        self.usage("--recount")

    def test_actions_exclude_each_other(self):
        self.usage("--recount", "--release-orphans", status=64)
        self.usage("--purge-before", "soon", status=64)
        self.usage("--recount", status=66)
        self.usage("--recount", "--ledger", "a", "--ledger", "b", status=64)


class Feedback(SpendCase):
    def feedback(self, *args, status=0, **options):
        result = self.run_llmroute(["feedback", *args], **options)
        self.assert_status(result, status)
        return result

    def scores(self):
        return self.query("SELECT decision, score FROM feedback")

    def test_last_is_the_newest_that_was_answered(self):
        config = self.two_models(rules=[{"nth": 1, "chunks": ["x"], "usage": USAGE},
                                        {"status": 400}])
        self.ask(config, "-m", "a")
        answered = self.query("SELECT id FROM decisions")[0][0]
        self.assert_status(self.ask(config, "-m", "a"), 65)
        self.feedback("last", "good")
        self.feedback(answered.lower(), "0.5")
        self.assertEqual(self.scores(), [(answered, 0.5)])

    def test_last_is_found_in_the_spill_file_as_well(self):
        config = self.two_models()
        self.ask(config, "-m", "b")
        with contextlib.closing(sqlite3.connect(self.path())) as lock:
            lock.execute("BEGIN IMMEDIATE")
            self.assertIn("spill", self.ask(config, "-m", "a").err)
        self.feedback("last", "good")
        self.assertEqual(self.query("SELECT d.model FROM feedback f JOIN decisions d "
                                    "ON d.id=f.decision"), [("a",)])

    def test_RL_1_feedback_reaches_one_decision_and_replaces(self):
        config = self.two_models()
        first = self.ask(config, "-m", "a", "--json").json()["id"]
        second = self.ask(config, "-m", "b", "--json").json()["id"]
        self.feedback(first, "good")
        self.assertEqual(self.scores(), [(first, 1.0)])
        self.feedback(first, "0.25")
        self.feedback(first, "bad")
        self.assertEqual(self.scores(), [(first, 0.0)])
        self.feedback("last", "0.5")
        self.assertEqual(self.scores(), [(first, 0.0), (second, 0.5)])
        self.assertEqual(self.query("SELECT model, feedback FROM calls ORDER BY "
                                    "decision"), [("a", 0.0), ("b", 0.5)])

    def test_which_answer_was_meant_is_told_a_person(self):
        config = self.two_models(rules=[{"model": "a", "status": 500}, *REPLY])
        id = self.ask(config, "-m", "a,b", "--json", "--retries", "0").json()["id"]
        said = rf"^llmroute: {id} \(b, 20\d\d-\d\d-\d\dT[\d:]{{8}}Z\): "
        self.assertEqual(self.feedback("last", "good").err, "")
        self.assertRegex(self.feedback("last", "good", "-v").err, said + "good\n$")
        self.assertRegex(self.feedback("last", "0.25", "-v").err, said + "0.25\n$")
        for quiet in [], ["-q"]:
            leader, follower = os.openpty()
            process = self.spawn_llmroute(["feedback", id[:20], "bad", *quiet],
                                          stderr=follower)
            os.close(follower)
            shown = harness.shown_on(leader).decode().replace("\r\n", "\n")
            os.close(leader)
            self.assertEqual(process.wait(), 0)
            self.assertRegex(shown, "^$" if quiet else said + "bad\n$")

    def test_RL_1_an_unknown_id_is_66(self):
        self.feedback("last", "good", status=66)
        config = self.two_models()
        first = self.ask(config, "--json").json()["id"]
        self.ask(config)
        self.feedback("01ARZ3NDEKTSV4RRFFQ69G5FAV", "good", status=66)
        self.feedback("", "good", status=66)
        self.assertIn("more than one",
                      self.feedback(first[:4], "good", status=66).err)
        self.feedback(first[:20], "good")
        self.assertEqual(self.scores(), [(first, 1.0)])
        self.feedback(first, "good", "--ledger", "nowhere.db", status=66)

    def test_RL_7_a_verdict_is_a_number_from_0_to_1(self):
        config = self.two_models()
        first = self.ask(config, "--json").json()["id"]
        for bad in ("nan", "inf", "-0.1", "1.1", "", "fine", "1e400"):
            self.feedback(first, "--", bad, status=64)
        self.assertEqual(self.scores(), [])

    def test_K10_usage_and_feedback_while_runs_go_on(self):
        config = self.two_models()
        first = self.ask(config, "--json").json()["id"]
        for _ in range(3):
            processes = [self.spawn_llmroute(["run", "-p", "Hi", "--no-stdin"],
                                             config=config) for _ in range(16)]
            while any(process.poll() is None for process in processes):
                report = self.report("--by", "model,provider")
                self.assertEqual(sum(row["calls"] for row in report["rows"]),
                                 report["total"]["calls"])
                self.feedback(first, "good")
            for process in processes:
                self.assertEqual(process.wait(), 0)
                process.communicate()
        self.assertEqual(self.report()["total"]["calls"], 49)


if __name__ == "__main__":
    unittest.main()
