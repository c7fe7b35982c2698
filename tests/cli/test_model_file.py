"""The router model's file: whole and trusted, or refused before anything is sent
(M1 to M9 of the table of faults; every length and every byte are in
tests/unit/analyzer/model_file_test.cc)."""

import math
import os
import random
import resource
import struct
import unittest

import harness
import router_model
from router_model import (
    BASE, BIAS, DIGEST, OWN_SIZE, SCALE, SEEN, TABLES, WEIGHTS, put, sealed, with_crc)

MODELS = {"cheap": {"ability": 0.0, "price": {"input": 0.1, "output": 0.4}},
          "strong": {"ability": 2.6, "price": {"input": 5, "output": 25}}}
PROMPT = "What is 12 + 30? Prove it."
# More than a pipe holds: who could write it all knows that it is being read.
MORE_THAN_A_PIPE = b"some words \n" * 40_000
TRUNCATED, DAMAGED, ALTERED = "truncated", "CRC does not match", "SHA-256 does not match"


def at_most_a_gigabyte():
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))


class ModelFile(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.server = self.stub([{"text": "an answer"}])
        self.whole = router_model.make()
        self.own = router_model.make(own={"cheap": 0.5, "vendor/second": -0.25})
        self.model = self.home.file("router.model")
        self.config = self.home.write(
            "c.toml", f"model_file = {harness.toml(self.model)}\n" +
            harness.stub_config(self.server, MODELS))

    def write(self, data, mode=0o600):
        return self.home.write("router.model", data, mode)

    def run_with(self, data, command="run", **options):
        if data is not None:
            self.write(data)
        return self.run_llmroute([command, "-c", self.config, "-p", PROMPT], **options)

    def assert_refused(self, data, *says, status=78, **options):
        """Nothing is printed, nothing sent, and the message names the file."""
        result = self.run_with(data, **options)
        self.assert_status(result, status)
        self.assertEqual(result.out, b"")
        self.assertIn(self.model, result.err)
        for words in says:
            self.assertIn(words, result.err)
        self.assertEqual(result.err.count("\n"), 1, result.err)

    def tearDown(self):
        super().tearDown()
        if not getattr(self, "sends", False):
            self.assertEqual(self.server.connections(), 0)

    def test_a_whole_model_is_used_and_named(self):
        self.sends = True
        for data in (self.whole, self.own):
            self.assert_status(self.run_with(data), 0)
            result = self.run_llmroute(["explain", "--json", "-c", self.config, "-p", PROMPT])
            self.assert_status(result, 0)
            self.assertEqual(result.json()["model"], {
                "id": "router.model", "sha256": data[DIGEST:DIGEST + 32].hex()})

    def test_the_fuzz_targets_seeds_get_past_the_header(self):
        corpus = harness.SOURCE_DIR / "tests/fuzz/corpus/model_file"
        for name in ("plain", "own_heads"):
            result = self.run_with((corpus / name).read_bytes(), "explain")
            self.assert_status(result, 0)
        self.assert_refused((corpus / "older_version").read_bytes(), "format version")

    def test_M1_a_model_that_is_missing_or_no_file_is_78(self):
        for command in ("run", "explain"):
            self.assert_refused(None, "No such file", command=command)
        os.symlink("nowhere", self.model)
        self.assert_refused(None, "No such file")
        os.unlink(self.model)
        os.mkdir(self.model)
        self.assert_refused(None, "not a regular file")
        os.rmdir(self.model)
        os.mkfifo(self.model, 0o600)
        self.assert_refused(None, "not a regular file", timeout=60)

    def test_M2_a_model_cut_anywhere_is_78(self):
        data = self.own
        edges = [0, 8, DIGEST, TABLES, SCALE, BIAS, BASE, WEIGHTS, SEEN, SEEN + 2,
                 len(data) - 2 * OWN_SIZE, len(data) - OWN_SIZE, len(data)]
        sizes = {edge + by for edge in edges for by in (-1, 0, 1)} | set(
            range(0, len(data), 101))
        for size in sorted(size for size in sizes if 0 <= size < len(data)):
            with self.subTest(size):
                self.assert_refused(data[:size],
                                    TRUNCATED if size < SEEN else "its header says")
        # With a right checksum and size of what is left.
        for size in (SEEN, SEEN + 2, len(data) - OWN_SIZE, len(data) - 1):
            self.assert_refused(sealed(put(data[:size], 16, "Q", size)), "tables need")

    def test_M3_a_flipped_byte_is_78(self):
        chance = random.Random(3)
        places = sorted({*range(0, TABLES, 3), *range(TABLES, WEIGHTS, 37),
                         *(chance.randrange(WEIGHTS, len(self.own)) for _ in range(100)),
                         len(self.own) - 1})
        for at in places:
            with self.subTest(at):
                flipped = put(self.own, at, "B", self.own[at] ^ chance.randrange(1, 256))
                self.assert_refused(flipped, *([DAMAGED] if at >= 44 and not 104 <= at < 112
                                               else []))

    def test_M3_a_change_with_a_right_crc_is_found_by_who_checks_it_whole(self):
        self.write(with_crc(put(self.own, WEIGHTS, "f", 0.5)))
        self.assert_status(self.run_with(None, "explain"), 0)
        rows = self.home.write("rows.jsonl", '{"prompt": "hi", "domain": "chat"}\n')
        for argv in (["config", "check"], ["bench", rows], ["train", rows, "-o", "new.model"]):
            result = self.run_llmroute([*argv, "-c", self.config])
            self.assert_status(result, 78)
            self.assertIn(f"'{self.model}': ", result.err)
            self.assertIn(ALTERED, result.err)
        result = self.run_llmroute(["train", rows, "-o", "new.model", "--no-config",
                                    "--init", self.model])
        self.assert_status(result, 78)
        self.assertIn(ALTERED, result.err)
        self.write(self.own)
        self.assert_status(self.run_llmroute(["config", "check", "-c", self.config]), 0)

    def test_M4_another_version_magic_or_byte_order_is_78_and_named(self):
        for version in (0, router_model.VERSION - 1, router_model.VERSION + 1, 2 ** 32 - 1):
            self.assert_refused(sealed(put(self.whole, 12, "I", version)),
                                f"format version {version}, this build reads version "
                                f"{router_model.VERSION}")
        for magic in (b"LLMRMODM", b"\0" * 8, b"\x7fELF\2\1\1\0"):
            self.assert_refused(sealed(magic + self.whole[8:]), "wrong magic")
        self.assert_refused(sealed(put(self.whole, 8, "I", 0x04030201)), "byte order")
        self.assert_refused(b"not a model\n", TRUNCATED)

    def test_M5_sizes_that_the_file_does_not_have_are_78_without_memory(self):
        claims = [(16, "Q", 1 << 40), (16, "Q", 0), (16, "Q", 2 ** 64 - 1),
                  (24, "I", 2 ** 32 - 1), (28, "I", 2 ** 32 - 1), (32, "I", 2 ** 32 - 1),
                  (36, "I", 40), (36, "I", 15), (36, "i", -1), (36, "I", 0x80000004),
                  (40, "I", 26), (40, "I", 40), (40, "I", 63), (40, "i", -1), (40, "I", 0),
                  (104, "I", 64), (104, "I", 2 ** 32 - 1)]
        # Address space, which sanitizers take without using it.
        limit = {} if harness.SANITIZED else {"preexec_fn": at_most_a_gigabyte}
        for claim in claims:
            with self.subTest(claim):
                self.assert_refused(sealed(put(self.whole, *claim)), **limit)
        # A file as large as it says, all of it a hole.
        self.write(put(self.whole, 16, "Q", 1 << 40))
        os.truncate(self.model, 1 << 40)
        self.assert_refused(None, "too large", **limit)

    def test_M6_weights_that_are_no_numbers_are_78(self):
        own_bias = len(self.own) - OWN_SIZE + 64
        for at in (96, 100, SCALE, BIAS, BASE, WEIGHTS, SEEN - 4, own_bias,
                   len(self.own) - 4):
            for value in (math.nan, -math.nan, math.inf, -math.inf, 3e38):
                with self.subTest((at, value)):
                    self.assert_refused(sealed(put(self.own, at, "f", value)), "number")

    def test_M6_denormal_weights_are_fine(self):
        self.sends = True
        denormal, = struct.unpack("<f", b"\1\0\0\0")
        data = self.own
        for at in (96, 100, SCALE, BIAS, BASE, WEIGHTS, SEEN - 4, len(data) - 4):
            data = put(data, at, "f", denormal)
        self.assert_status(self.run_with(sealed(data)), 0)
        result = self.run_llmroute(["explain", "--json", "-c", self.config, "-p", PROMPT])
        self.assertTrue(all(0 <= c["good"] <= 1 for c in result.json()["candidates"]))

    def finished_after(self, command, change):
        """The result of a command whose model is changed while it reads stdin."""
        self.write(self.own)
        process = self.spawn_llmroute([*command, "-c", self.config, "sum it up"],
                                       env={"LLMROUTE_LEDGER": "off"})
        os.set_blocking(process.stdin.fileno(), True)
        left = memoryview(MORE_THAN_A_PIPE)
        while left:
            left = left[os.write(process.stdin.fileno(), left):]
        change()
        out, err = process.communicate(b"the end\n", timeout=20)
        return harness.Result(out, err.decode(), process.returncode, 0)

    def replace(self, data):
        os.rename(self.home.write("other.model", data), self.model)

    def overwrite(self, data):
        with open(self.model, "r+b") as file:
            file.write(data)

    def test_M7_a_run_finishes_with_the_model_that_it_opened(self):
        self.sends = True
        other = router_model.make(bucket_bits=6, salt=5)
        changes = {"replaced by another": lambda: self.replace(other),
                   "replaced by junk": lambda: self.replace(b"junk"),
                   "overwritten in place": lambda: self.overwrite(b"\xff" * len(self.own)),
                   "truncated in place": lambda: os.truncate(self.model, 0),
                   "cut in place": lambda: os.truncate(self.model, WEIGHTS),
                   "removed": lambda: os.unlink(self.model)}
        before = None
        for name, change in {"left alone": lambda: None, **changes}.items():
            with self.subTest(name):
                explained = self.finished_after(["explain", "--json", "--no-timing"], change)
                self.assert_status(explained, 0)
                before = before or explained.json()
                self.assertEqual(explained.json(), before)
                answered = self.finished_after(["run", "--json"], change)
                self.assert_status(answered, 0)
                self.assertEqual(answered.json()["model"]["routed"],
                                 before["decision"]["model"])
        self.assertEqual(before["model"]["sha256"], self.own[DIGEST:DIGEST + 32].hex())

    def test_M8_a_model_that_others_may_write_is_77(self):
        for mode in (0o620, 0o602, 0o666, 0o622, 0o777):
            self.write(self.whole, mode)
            self.assert_refused(None, "writable by others", status=77)
        if os.geteuid() == 0:
            self.write(self.whole)
            os.chown(self.model, 12345, 12345)
            # Who runs as root may not use another user's file either.
            self.assert_refused(None, "owned by another user", status=77)

    def test_M8_a_model_that_others_may_only_read_is_used(self):
        self.sends = True
        for mode in (0o644, 0o444, 0o755):
            self.write(self.whole, mode)
            self.assert_status(self.run_with(None), 0)
            os.chmod(self.model, 0o600)

    def test_M9_trailing_bytes_are_78(self):
        for more in (b"\0", b"\n", b"\0" * 64, self.own, b"x" * (1 << 20)):
            longer = self.own + more
            self.assert_refused(longer, "its header says")
            self.assert_refused(sealed(put(longer, 16, "Q", len(longer))), "tables need")


if __name__ == "__main__":
    unittest.main()
