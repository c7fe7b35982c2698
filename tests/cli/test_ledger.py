"""The ledger of `run`: what is in it, and that it never costs the answer."""

import contextlib
import json
import os
import signal
import sqlite3
import time
import unittest

import harness

ANSWER = [{"chunks": ["Hello"], "usage": {"prompt_tokens": 10,
                                          "completion_tokens": 5}}]


class LedgerCase(harness.TestCase):
    def path(self):
        return self.home.file(".local/state/llmroute/ledger.db")

    def query(self, sql, path=None):
        """Rows as plain sqlite3 sees them."""
        with contextlib.closing(sqlite3.connect(path or self.path())) as ledger:
            with ledger:
                return ledger.execute(sql).fetchall()

    def config(self, stub=None, extra="", **fields):
        self.server = stub or self.stub(ANSWER)
        return harness.stub_config(self.server, {"m": fields}, extra=extra)

    def ask(self, config, *args, **options):
        return self.run_llmroute(["run", "-p", "Hi", *args], config=config,
                                 **options)


class Rows(LedgerCase):
    def test_a_run_leaves_a_decision_and_an_attempt(self):
        result = self.ask(self.config(), "--json", "--tag", "team=search")
        self.assert_status(result, 0)
        self.assertEqual(
            self.query("SELECT id, command, requested, source, model, tags, exit, "
                       "finish, answer_bytes FROM decisions"),
            [(result.json()["id"], "run", "auto", "analyzer", "m",
              '{"team":"search"}', 0, "stop", 5)])
        self.assertEqual(
            self.query("SELECT number, model, provider, state, input_tokens, "
                       "output_tokens, cost_pico, charged_as FROM attempts"),
            [(1, "m", "openai-chat", "answered", 10, 5, 20_000_000, "usage")])
        self.assertEqual(
            self.query("SELECT decision, usd, charged_usd FROM calls"),
            [(result.json()["id"], 2e-5, 2e-5)])

    def test_retries_and_fallbacks_are_attempts_of_one_decision(self):
        stub = self.stub([{"model": "bad", "status": 503}] + ANSWER)
        config = harness.stub_config(stub, {"bad": {}, "good": {}})
        self.assert_status(self.ask(config, "-m", "bad,good", "--retries", "1"), 0)
        self.assertEqual(
            self.query("SELECT number, model, state, status, class, charged_as "
                       "FROM attempts ORDER BY number"),
            [(1, "bad", "failed", 503, "transient", "nothing"),
             (2, "bad", "failed", 503, "transient", "nothing"),
             (3, "good", "answered", None, None, "usage")])
        self.assertEqual(self.query("SELECT count(*) FROM decisions"), [(1,)])

    def test_a_run_without_an_answer_is_recorded_with_its_status(self):
        result = self.ask(self.config(self.stub([{"status": 401}])))
        self.assert_status(result, 77)
        self.assertEqual(self.query("SELECT exit FROM decisions"), [(77,)])

    def test_P3_missing_usage_or_price_is_unknown_and_never_0(self):
        silent = self.stub([{"chunks": ["Hi"], "usage": None}])
        self.assert_status(self.ask(self.config(silent)), 0)
        self.assert_status(self.ask(self.config(price=None)), 0)
        rows = self.query("SELECT cost_pico, charged_pico > 0, charged_as "
                          "FROM attempts ORDER BY decision")
        self.assertEqual(rows, [(None, 1, "estimated"), (None, 0, "estimated")])
        self.assertEqual(self.query("SELECT sum(unknown) FROM daily"), [(2,)])

    def test_P7_an_interrupted_run_is_recorded(self):
        stub = self.stub([{"chunks": ["Hel", "lo"], "delay_chunk_ms": 5000}])
        process = self.spawn_llmroute(["run", "-p", "Hi", "--no-stdin"],
                                      config=self.config(stub))
        self.assertEqual(process.stdout.read(3), b"Hel")
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(timeout=60), -signal.SIGINT)
        self.assertEqual(self.query("SELECT exit FROM decisions"), [(130,)])
        self.assertEqual(self.query("SELECT state, charged_as FROM attempts"),
                         [("failed", "unknown")])

    def test_no_text_of_prompt_or_answer_is_stored(self):
        stub = self.stub([{"chunks": ["canary-answer"]}])
        config = self.config(stub)
        args = ["run", "-s", "canary-system", "-p", "canary-prompt"]
        self.run_llmroute(args, config=config)
        self.run_llmroute(args, config=config)
        self.run_llmroute(["run", "-p", "canary-other"], config=config)
        folder = os.path.dirname(self.path())
        for name in os.listdir(folder):
            with open(os.path.join(folder, name), "rb") as file:
                self.assertNotIn(b"canary", file.read(), name)
        self.assertEqual(self.query("SELECT count(*), count(DISTINCT prompt_hash) "
                                    "FROM decisions"), [(3, 2)])

    def test_I12_A15_hostile_tags_are_stored_as_they_are(self):
        hostile = "'); DROP TABLE decisions;--\u202e\"\n"
        self.assert_status(self.ask(self.config(), "--tag", "k=" + hostile), 0)
        self.assertEqual(json.loads(self.query("SELECT tags FROM decisions")[0][0]),
                         {"k": hostile})


class Place(LedgerCase):
    def test_ledger_option_names_the_file(self):
        path = self.home.file("work/other.db")
        self.assert_status(self.ask(self.config(), "--ledger", path), 0)
        self.assertEqual(self.query("SELECT count(*) FROM calls", path), [(1,)])
        self.assertFalse(os.path.exists(self.path()))

    def test_no_ledger_leaves_no_file(self):
        config = self.config()
        for args, env in ((["--no-ledger"], {}), (["--ledger", "off"], {}),
                          ([], {"LLMROUTE_LEDGER": "off"})):
            result = self.ask(config, *args, env=env)
            self.assert_status(result, 0)
            self.assertEqual(result.err, "")
        self.assertFalse(os.path.exists(self.home.file(".local/state")))

    def test_F13_modes_do_not_depend_on_the_umask(self):
        for mask in (0o000, 0o077):
            home = harness.Home()
            self.addCleanup(home.remove)
            result = home.run(["run", "-p", "Hi"], config=self.config(),
                              preexec_fn=lambda mask=mask: os.umask(mask))
            self.assert_status(result, 0)
            folder = home.file(".local/state/llmroute")
            self.assertEqual(os.stat(folder).st_mode & 0o777, 0o700)
            for name in os.listdir(folder):
                mode = os.stat(os.path.join(folder, name)).st_mode & 0o777
                self.assertEqual(mode, 0o600, name)

    def test_A19_a_directory_that_others_can_write_to_is_refused(self):
        folder = os.path.dirname(self.path())
        os.makedirs(folder)
        os.chmod(folder, 0o777)
        result = self.ask(self.config())
        self.assert_status(result, 77)
        self.assertEqual(self.server.requests(), [])
        self.assert_status(self.ask(self.config(), "--no-ledger"), 0)

    def test_A18_a_planted_link_is_not_followed(self):
        target = self.home.file("work/target")
        os.makedirs(os.path.dirname(self.path()), mode=0o700)
        os.symlink(target, self.path())
        self.assert_status(self.ask(self.config()), 77)
        self.assertFalse(os.path.exists(target))


class Failing(LedgerCase):
    """Without a ceiling the answer comes whatever the ledger does; under one
    nothing is sent."""

    def check(self, path, status=74, spilled=True):
        config = self.config()
        result = self.ask(config, "--ledger", path)
        self.assert_status(result, 0)
        self.assertEqual(result.out, b"Hello\n")
        self.assertEqual(result.err.count("\n"), 1, result.err)
        self.assertIn("ledger", result.err)
        self.assertEqual(os.path.exists(path + ".spill"), spilled)
        before = len(self.server.requests())
        refused = self.ask(config, "--ledger", path, "--max-cost", "1")
        self.assert_status(refused, status)
        self.assertEqual(refused.out, b"")
        self.assertEqual(len(self.server.requests()), before)

    def damaged(self, content):
        path = self.home.write("work/damaged.db", content)
        self.check(path)
        with open(path, "rb") as file:
            self.assertEqual(file.read(), content)
        os.remove(path + ".spill")

    def whole(self):
        path = self.home.file("work/whole.db")
        self.assert_status(self.ask(self.config(), "--ledger", path), 0)
        self.query("PRAGMA wal_checkpoint(TRUNCATE)", path)
        with open(path, "rb") as file:
            return file.read()

    def test_F4_a_state_directory_that_cannot_be_made(self):
        self.check("/proc/nowhere/ledger.db", spilled=False)

    def test_F10_a_file_of_zero_bytes(self):
        self.damaged(b"")

    def test_F10_a_file_that_is_no_database(self):
        self.damaged(b"this is not a database" * 100)

    def test_F10_a_truncated_ledger(self):
        whole = self.whole()
        self.damaged(whole[:len(whole) // 2])

    def test_F10_a_newer_schema(self):
        whole = bytearray(self.whole())
        whole[60:64] = (99).to_bytes(4, "big")
        self.damaged(bytes(whole))

    def test_A24_a_trigger_in_the_ledger_does_not_fire(self):
        self.whole()
        path = self.home.file("work/whole.db")
        self.query("CREATE TRIGGER t AFTER INSERT ON decisions BEGIN DELETE FROM "
                   "daily; END", path)
        self.query("PRAGMA wal_checkpoint(TRUNCATE)", path)
        self.check(path)
        self.assertEqual(self.query("SELECT count(*) FROM daily", path), [(1,)])

    def test_spilled_rows_are_imported_by_the_next_run(self):
        path = self.home.file("work/ledger.db")
        config = self.config()
        self.home.write("work/ledger.db", b"damaged")
        first = self.ask(config, "--ledger", path, "--json").json()["id"]
        os.remove(path)
        second = self.ask(config, "--ledger", path, "--json").json()["id"]
        self.assertEqual(self.query("SELECT id, exit FROM decisions ORDER BY id",
                                    path), [(first, 0), (second, 0)])
        self.assertEqual(self.query("SELECT sum(calls) FROM daily", path), [(2,)])

    def test_who_only_reads_says_that_runs_wait(self):
        config = self.config()
        self.assert_status(self.ask(config), 0)
        with open(self.path() + ".spill", "w", encoding="utf-8") as spilled:
            spilled.write("{}\n")
        os.chmod(self.path() + ".spill", 0o600)
        for words in (["usage"], ["replay", "last"]):
            result = self.run_llmroute(words)
            self.assert_status(result, 0)
            self.assertIn("ledger.db.spill holds runs that are not in the ledger",
                          result.err)
        self.assert_status(self.ask(config), 0)
        self.assertEqual(self.run_llmroute(["usage"]).err, "")

    def test_spilled_rows_are_imported_and_count_under_a_ceiling(self):
        path = self.home.file("work/ledger.db")
        config = self.config()
        self.home.write("work/ledger.db", b"damaged")
        self.assert_status(self.ask(config, "--ledger", path), 0)
        os.remove(path)
        limited = harness.stub_config(
            self.server, {"m": {}}, extra="[limits]\nper_day = 0.000310\n")
        # 0.000298 USD at the worst; 0.00002 were spent before.
        result = self.ask(limited, "--ledger", path, "--max-tokens", "100")
        self.assert_status(result, 4)
        self.assertEqual(os.path.getsize(path + ".spill"), 0)
        self.assertEqual(self.query("SELECT sum(calls) FROM daily", path), [(1,)])

    def test_a_spill_file_does_not_grow_without_end_and_is_always_read(self):
        path = self.home.file("work/ledger.db")
        config = self.config()
        most = 64 << 20
        self.home.write("work/ledger.db", b"damaged")
        with open(path + ".spill", "wb") as spilled:
            spilled.truncate(most + 1)
        result = self.ask(config, "--ledger", path)
        self.assert_status(result, 0)
        self.assertIn("this run is not in the ledger", result.err)
        self.assertEqual(os.path.getsize(path + ".spill"), most + 1)
        os.remove(path)
        self.assert_status(self.ask(config, "--ledger", path), 0)
        self.assertEqual(os.path.getsize(path + ".spill"), 0)

    def test_K4_a_ledger_that_stays_locked(self):
        config = self.config()
        self.assert_status(self.ask(config), 0)
        lock = sqlite3.connect(self.path(), isolation_level=None)
        self.addCleanup(lock.close)
        lock.execute("BEGIN EXCLUSIVE")
        process = self.spawn_llmroute(["run", "-p", "Hi", "--no-stdin"],
                                      config=config)
        out = b""
        while not out.endswith(b"\n"):  # comes while the ledger is locked
            out += process.stdout.read(6)
        self.assertEqual(out, b"Hello\n")
        self.assertEqual(process.wait(timeout=60), 0)
        self.assertTrue(os.path.exists(self.path() + ".spill"))
        lock.execute("COMMIT")
        self.assert_status(self.ask(config), 0)
        self.assertEqual(self.query("SELECT sum(calls) FROM daily"), [(3,)])


class Strict(LedgerCase):
    def test_strict_ledger_sends_nothing_that_cannot_be_recorded(self):
        path = self.home.write("work/damaged.db", b"damaged")
        config = self.config()
        records = b'{"prompt":"Hi"}\n'
        for words in (["run", "-p", "Hi"], ["batch"]):
            for place, status in ((path, 74), ("off", 64)):
                result = self.run_llmroute(
                    [*words, "--strict-ledger", "--ledger", place], config=config,
                    stdin=records if words == ["batch"] else None)
                self.assert_status(result, status)
                self.assertEqual(result.out, b"")
                self.assertIn("nothing was sent", result.err)
        self.assertEqual(self.server.requests(), [])

    def test_strict_ledger_that_fails_after_the_answer_is_74(self):
        stub = self.stub([ANSWER[0] | {"delay_first_ms": 3500}])
        config = self.config(stub)
        self.assert_status(self.ask(config, "--strict-ledger"), 0)
        for words in (["run", "-p", "Hi", "--no-stdin"], ["batch", "--lines"]):
            sent = len(stub.requests())
            process = self.spawn_llmroute([*words, "--strict-ledger"], config=config)
            process.stdin.write(b"Hi\n")
            process.stdin.close()
            while len(stub.requests(wait=0)) == sent:
                time.sleep(0.02)
            lock = sqlite3.connect(self.path(), isolation_level=None)
            lock.execute("BEGIN IMMEDIATE")
            out, err = process.stdout.read(), process.stderr.read()
            lock.close()
            self.assertEqual(process.wait(timeout=60), 74, err)
            self.assertIn(b"Hello", out)
            self.assertIn(b"for the next run", err)
        self.assert_status(self.ask(config, "--strict-ledger"), 0)
        self.assertEqual(self.query("SELECT sum(calls) FROM daily"), [(4,)])


class Together(LedgerCase):
    def test_K5_K9_first_runs_at_once_are_all_recorded(self):
        config = self.config()
        processes = [self.spawn_llmroute(["run", "-p", "Hi", "--no-stdin"],
                                         config=config) for _ in range(16)]
        for process in processes:
            out, err = process.communicate(timeout=60)
            self.assertEqual((process.returncode, out, err), (0, b"Hello\n", b""))
        self.assertEqual(self.query("SELECT count(*), sum(cost_pico) FROM attempts"),
                         [(16, 16 * 20_000_000)])
        self.assertEqual(self.query("SELECT sum(calls) FROM daily"), [(16,)])

    def test_a_killed_run_leaves_a_ledger_that_opens(self):
        stub = self.stub([{"chunks": ["a"], "delay_first_ms": 30}])
        config = self.config(stub)
        for n in range(12):
            process = self.spawn_llmroute(["run", "-p", "Hi", "--no-stdin",
                                           "--max-cost", "1"], config=config)
            time.sleep(0.004 * n)
            process.kill()
            process.wait()
        self.assert_status(self.ask(config, "--max-cost", "1"), 0)
        self.assertEqual(self.query("PRAGMA integrity_check"), [("ok",)])


if __name__ == "__main__":
    unittest.main()
