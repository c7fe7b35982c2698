"""Files and processes that fail under the ledger: rows F and K. Without a ceiling
the answer comes whatever happens; under one nothing is sent without the ledger."""

import json
import os
import pathlib
import random
import resource
import shutil
import sqlite3
import subprocess
import time
import unittest

import harness
import test_ledger
from durable_batch import FULL, SANITIZED

NETWORK_DISK = pathlib.Path(harness.BINARY).parent / "tests/network_disk.so"
RUN = ["run", "-p", "Hi", "--no-stdin"]
CEILING = ["--max-cost", "1"]
# With the state directory as $0, before the command.
READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"'
FULL_DISK = ('mount --bind "$0" /mnt && mount -t tmpfs -o size=1m,mode=700 none "$0" '
             '&& cp -a /mnt/. "$0" && { cat /dev/zero > "$0/fill" 2>/dev/null; '
             'exec "$@"; }')


def may_mount():
    """Whether this process can have mounts of its own."""
    if os.geteuid() != 0 or not shutil.which("unshare"):
        return False
    return subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "none", "/tmp"],
                          capture_output=True, check=False).returncode == 0


needs_mount = unittest.skipUnless(may_mount(), "mount is not allowed here")


class FaultCase(test_ledger.LedgerCase):
    def folder(self):
        return os.path.dirname(self.path())

    def filled(self, runs=3):
        """A ledger of some runs, all of it in its file; the config."""
        config = self.config()
        for _ in range(runs):
            self.assert_status(self.ask(config, "--max-cost", "1"), 0)
        self.query("PRAGMA wal_checkpoint(TRUNCATE)")
        return config

    def go(self, words, config, before=(), **popen):
        done = subprocess.run(
            [*before, *self.home.command(words, config)], timeout=60, check=False,
            env=self.home.environment(), stdin=subprocess.DEVNULL,
            capture_output=True, **popen)
        return harness.Result(done.stdout, done.stderr.decode(errors="replace"),
                              done.returncode, 0.0)

    def answers(self, config, **how):
        """Without a ceiling, with one line of warning."""
        result = self.go(RUN, config, **how)
        self.assert_status(result, 0)
        self.assertEqual(result.out, b"Hello\n")
        self.assertEqual(result.err.count("\n"), 1, result.err)
        self.assertIn("ledger", result.err)

    def sends_nothing(self, config, status=74, **how):
        """Under a ceiling."""
        before = len(self.server.requests())
        result = self.go(RUN + CEILING, config, **how)
        self.assert_status(result, status)
        self.assertEqual(result.out, b"")
        self.assertEqual(len(self.server.requests()), before)

    def read(self):
        with open(self.path(), "rb") as file:
            return file.read()


class Disk(FaultCase):
    def in_namespace(self, script):
        return ["unshare", "-m", "sh", "-c", script, self.folder()]

    @needs_mount
    def test_F4_OLR_8_a_read_only_state_directory(self):
        for config in (self.config(), self.filled()):
            os.makedirs(self.folder(), mode=0o700, exist_ok=True)
            before = self.in_namespace(READ_ONLY)
            self.answers(config, before=before)
            self.sends_nothing(config, before=before)

    @needs_mount
    def test_F4_a_read_only_ledger_can_be_read(self):
        config = self.filled()
        self.assert_status(self.ask(config), 0)  # in the write-ahead log
        before = self.in_namespace(READ_ONLY)
        self.assert_status(self.go(["replay", "last"], None, before=before), 0)
        usage = self.go(["usage", "--json"], config, before=before)
        self.assertEqual(json.loads(usage.out)["total"]["calls"], 4)
        self.assert_status(self.go(["models"], config, before=before), 0)
        for name in os.listdir(self.folder()):  # as a copy of the file alone
            if name != "ledger.db":
                os.remove(os.path.join(self.folder(), name))
        usage = self.go(["usage", "--json"], config, before=before)
        self.assert_status(usage, 0)
        self.assertEqual(json.loads(usage.out)["total"]["calls"], 3)

    @unittest.skipIf(os.geteuid() == 0, "root may write everywhere")
    def test_F4_a_state_directory_without_the_right_to_write(self):
        os.makedirs(self.folder(), mode=0o700)
        os.chmod(self.folder(), 0o500)
        self.addCleanup(os.chmod, self.folder(), 0o700)
        self.answers(self.config())
        self.sends_nothing(self.config())

    @needs_mount
    def test_F2_OLR_8_a_full_disk(self):
        for config in (self.config(), self.filled()):
            os.makedirs(self.folder(), mode=0o700, exist_ok=True)
            before = self.in_namespace(FULL_DISK)
            self.answers(config, before=before)
            self.sends_nothing(config, before=before)

    def test_F6_OLR_8_a_limit_on_the_size_of_files(self):
        config = self.filled()
        size = os.path.getsize(self.path())
        whole = self.read()
        for limit in (0, 1, 4096, size // 2, size - 1, size, size + 4096):
            with self.subTest(limit=limit):
                def limited(limit=limit):
                    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
                result = self.go(RUN, config, preexec_fn=limited)
                self.assert_status(result, 0)
                self.assertEqual(result.out, b"Hello\n")
                self.assertLessEqual(result.err.count("\n"), 1, result.err)
                under = self.go(RUN + CEILING, config, preexec_fn=limited)
                self.assertIn(under.status, (0, 74), under.err)
                self.assertEqual(under.out, b"" if under.status else b"Hello\n")
                self.assertEqual(self.query("PRAGMA integrity_check"), [("ok",)])
                self.home.write(".local/state/llmroute/ledger.db", whole)
                for name in os.listdir(self.folder()):
                    if name != "ledger.db":
                        os.remove(os.path.join(self.folder(), name))

    @unittest.skipIf(harness.SANITIZED, "a sanitizer wants to be loaded first")
    @unittest.skipUnless(NETWORK_DISK.exists(), "tests/network_disk.so is not built")
    def test_F11_on_a_network_file_system_there_is_no_write_ahead_log(self):
        config = self.config()
        env = {"LD_PRELOAD": str(NETWORK_DISK)}
        result = self.ask(config, env=env)
        self.assert_status(result, 0)
        self.assertEqual(result.err, "llmroute: the ledger is on a network file "
                         "system, where every call takes longer; LLMROUTE_LEDGER or "
                         "--ledger can put it on a local disk\n")
        self.assertEqual(self.query("PRAGMA journal_mode"), [("delete",)])
        for _ in range(3):
            result = self.ask(config, "--max-cost", "1", env=env)
            self.assert_status(result, 0)
            self.assertEqual(result.err, "")
        self.assertEqual(os.listdir(self.folder()), ["ledger.db"])
        self.assertEqual(self.query("SELECT sum(calls) FROM daily"), [(4,)])


class Spilled(FaultCase):
    def test_a_spill_file_that_the_ledger_cannot_take_now_is_kept(self):
        config = self.filled()
        whole = self.read()
        self.home.write(".local/state/llmroute/ledger.db", b"damaged")
        for _ in range(8):
            self.assert_status(self.ask(config), 0)
        self.home.write(".local/state/llmroute/ledger.db", whole)
        for name in ("ledger.db-wal", "ledger.db-shm"):
            if os.path.exists(os.path.join(self.folder(), name)):
                os.remove(os.path.join(self.folder(), name))
        spill = self.path() + ".spill"
        waiting = os.path.getsize(spill)

        def limited():  # room for a little of it
            resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
        result = self.go(RUN, config, preexec_fn=limited)
        self.assert_status(result, 0)
        self.assertNotIn("made no sense", result.err)
        self.assertGreaterEqual(os.path.getsize(spill), waiting)
        self.assert_status(self.go(RUN, config), 0)
        self.assertEqual(self.query("SELECT count(*) FROM decisions"), [(13,)])
        self.assertEqual(os.path.getsize(spill), 0)


class Damage(FaultCase):
    def setUp(self):
        super().setUp()
        self.empty = self.home.write("empty.toml", "")

    def any_command_ends(self, config):
        """Whatever is in the file: no crash, and no answer is lost."""
        result = self.go(RUN, config)
        self.assert_status(result, 0)
        self.assertEqual(result.out, b"Hello\n")
        under = self.go(RUN + CEILING, config)
        self.assertIn(under.status, (0, 74), under.err)
        self.assertEqual(under.out, b"" if under.status else b"Hello\n")
        for words, statuses in (
                (["usage", "-c", self.empty], (0, 74)),
                (["usage", "--recount", "-c", self.empty], (0, 1, 74)),
                (["feedback", "last", "good"], (0, 66, 74)),
                (["replay", "last"], (0, 1, 65, 66, 74, 78))):
            ended = self.run_llmroute(words)
            self.assertIn(ended.status, statuses, (words, ended.err))
        for words in (["explain", "-p", "Hi"], ["models"]):
            self.assert_status(self.go(words, config), 0)

    def test_F10_flipped_bytes(self):
        config = self.filled()
        whole = self.read()
        seed = int(os.environ.get("LLMROUTE_TEST_SEED", random.randrange(1 << 30)))
        for number in range(1000 if FULL else 12):
            dice = random.Random(seed * 1000 + number)
            damaged = bytearray(whole)
            # Most of a page decides on all of it: its head.
            for _ in range(dice.choice((1, 1, 4, 30))):
                at = dice.randrange(len(whole))
                if dice.random() < 0.5:
                    at = at // 4096 * 4096 + dice.randrange(100)
                damaged[at] ^= 1 << dice.randrange(8)
            for name in os.listdir(self.folder()):
                os.remove(os.path.join(self.folder(), name))
            self.home.write(".local/state/llmroute/ledger.db", bytes(damaged))
            with self.subTest(seed=seed, number=number):
                result = self.go(RUN, config)
                self.assert_status(result, 0)
                if "ledger" in result.err:  # it was refused, so it is as it was
                    self.assertEqual(self.read(), damaged)
                self.any_command_ends(config)
                self.assertTrue(os.path.exists(self.path()))

    def test_F10_a_write_ahead_log_of_another_time(self):
        config = self.filled()
        log = self.path() + "-wal"
        self.assert_status(self.ask(config), 0)
        with open(log, "rb") as file:
            stale = file.read()
        self.assertGreater(len(stale), 4096)
        self.query("PRAGMA wal_checkpoint(TRUNCATE)")
        for _ in range(3):
            self.assert_status(self.ask(config), 0)
        self.query("PRAGMA wal_checkpoint(TRUNCATE)")
        for content in (stale, stale[:len(stale) // 2], b"\0" * 5000,
                        random.Random(1).randbytes(20000)):
            self.home.write(".local/state/llmroute/ledger.db-wal", content)
            if os.path.exists(self.path() + "-shm"):
                os.remove(self.path() + "-shm")
            self.any_command_ends(config)

    def test_F15_an_old_copy_in_its_place(self):
        config = self.filled(1)
        old = self.read()
        for _ in range(2):
            self.assert_status(self.ask(config), 0)
        for suffix in ("-wal", "-shm"):
            os.remove(self.path() + suffix)
        self.home.write(".local/state/llmroute/ledger.db", old)
        self.assert_status(self.ask(config, "--max-cost", "1"), 0)
        self.assertEqual(self.query("SELECT count(*) FROM decisions"), [(2,)])
        self.assertEqual(self.query("PRAGMA integrity_check"), [("ok",)])
        self.assert_status(self.run_llmroute(["usage", "--recount"], config=""), 0)


class Processes(FaultCase):
    def start_time(self, process):
        with open(f"/proc/{process}/stat", encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[19]

    def test_K8_the_number_of_a_dead_process_went_to_another(self):
        slow = self.stub([{"chunks": ["x"], "delay_first_ms": 60000}])
        config = self.config(slow)
        process = self.spawn_llmroute(RUN + CEILING, config=config)
        while not slow.requests(wait=0):
            time.sleep(0.01)
        (owner,), = self.query("SELECT owner FROM attempts")
        boot, number, start = owner.split("/")
        self.assertEqual((number, start), (str(process.pid),
                                           self.start_time(process.pid)))
        process.kill()
        process.wait()
        me, mine = os.getpid(), int(self.start_time(os.getpid()))
        for owner, dead in ((owner, 1), (f"{boot}/{me}/{mine}", 0),
                            (f"{boot}/{me}/{mine - 1}", 1), (f"x/{me}/{mine}", 1),
                            (f"{boot}/1/{start}", 1), ("", 1), ("nonsense", 1)):
            self.query(f"UPDATE attempts_apart SET owner='{owner}'")
            held = self.run_llmroute(["usage", "--json"], config="").json()["held"]
            self.assertEqual((held["calls"], held["dead_calls"]), (1 - dead, dead),
                             owner)

    def test_K9_what_16_processes_spilled_is_imported_by_16_at_once(self):
        config = self.config()
        self.assert_status(self.ask(config), 0)
        before = self.spilled()  # a starved process spills, too
        lock = sqlite3.connect(self.path(), isolation_level=None)
        self.addCleanup(lock.close)
        lock.execute("BEGIN EXCLUSIVE")
        self.all_answer([self.spawn_llmroute(RUN, config=config)
                         for _ in range(16)])
        self.assertEqual(self.spilled(), before + 16)
        lock.execute("ROLLBACK")
        self.all_answer([self.spawn_llmroute(RUN, config=config)
                         for _ in range(16)])
        self.assert_status(self.ask(config), 0)  # if one spilled meanwhile
        self.assertEqual(os.path.getsize(self.path() + ".spill"), 0)
        for table in ("decisions", "attempts"):
            self.assertEqual(self.query(f"SELECT count(*) FROM {table}"), [(34,)])
        self.assertEqual(self.query("SELECT calls FROM statistics"), [(34,)])
        self.assertEqual(self.query("SELECT sum(calls), sum(cost_pico) FROM daily"),
                         [(34, 34 * 20_000_000)])
        self.assert_status(self.run_llmroute(["usage", "--recount"], config=""), 0)

    def spilled(self):
        path = pathlib.Path(self.path() + ".spill")
        # Whoever sees another's line half written puts an empty one before its own.
        lines = path.read_bytes().splitlines() if path.exists() else []
        return len([line for line in lines if line])

    def all_answer(self, processes):
        for process in processes:
            out, _ = process.communicate(timeout=60)
            self.assertEqual((process.returncode, out), (0, b"Hello\n"))


if __name__ == "__main__":
    unittest.main()
