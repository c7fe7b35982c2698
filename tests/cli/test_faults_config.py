"""Rows C of the fault matrix (docs/reliability.md): configurations that are absent,
malformed, endless, unsafe, in motion or at odds with themselves."""

import contextlib
import os
import pathlib
import pwd
import random
import shutil
import socket
import subprocess
import threading
import tomllib
import unittest

import harness

CORPUS = harness.SOURCE_DIR / "tests/fuzz/corpus/config"
PLACE = r"\.toml:\d+:\d+: \S"
SMALL_STACK = {"preexec_fn": harness.small_stack}
needs_root = unittest.skipUnless(os.geteuid() == 0, "giving files away needs root")


class ConfigCase(harness.TestCase):
    def check(self, config, **options):
        return self.run_llmroute(["config", "check"], config=config, **options)

    def check_file(self, path):
        """Of a file that may be anything: it must not block."""
        return self.run_llmroute(["config", "check", "-c", path], timeout=60)

    def user_config(self, text):
        return self.home.write(".config/llmroute/config.toml", text)


class Texts(ConfigCase):
    def malformed(self):
        """Documents that another reader of TOML refuses: the corpus of the fuzzer, a
        document that uses everything cut and damaged at random, and some by hand."""
        whole = (CORPUS / "full.toml").read_bytes()
        dice = random.Random(2)
        texts = [path.read_bytes() for path in sorted(CORPUS.iterdir())]
        texts += [whole[:dice.randrange(len(whole))] for _ in range(40)]
        for _ in range(120):
            at = dice.randrange(len(whole))
            texts.append(whole[:at] + bytes(dice.choices(b"[]{}\"'=.,#\n\r\\ 0e+_T\x7f",
                                                         k=dice.randint(1, 3))) + whole[at + 1:])
        texts += [text.encode() for text in (
            "a", "a =", "= 1", "[", "[]", "[a", "[[a]", "[a]]", "a = 1 b = 2", "a = 1\na = 2",
            "[a]\n[a]", 'a = "', 'a = "x\ny"', 'a = "\\q"', 'a = "\\uD800"', "a = '''",
            "a = [1", "a = [1,,2]", "a = {b = 1", "a = {b = 1,}", "a = {b = 1\n}", "a = 01",
            "a = 1__0", "a = 0x", "a = .5", "a = 1e", "a = +-1", "a = tru", "a = 2020-13-01",
            "a = 25:00:00", "a.b = 1\na = 2", "a = 1\n[a.b]", "a = []\n[[a]]", "[[a]]\n[a]",
            "a = {b = 1}\n[a.c]", 'a = "\x01"', "a = 1 # \x02", "a b = 1", "a..b = 1",
            "a = [}", "]", "[*]", "d=1979-05-27 1", "a = 1979-05-27T&:3x1", "\x7f = 1")]
        for text in texts:
            try:
                tomllib.loads(text.decode("utf-8-sig"))
            except (UnicodeDecodeError, tomllib.TOMLDecodeError):
                yield text

    def test_C2_malformed_documents_have_a_place(self):
        texts = list(self.malformed())
        self.assertGreater(len(texts), 100)
        path = self.home.file("bad.toml")
        for text in texts:
            with self.subTest(text[-200:]):
                self.home.write("bad.toml", text)
                result = self.check_file(path)
                self.assert_status(result, 78)
                self.assertRegex(result.err, r"bad" + PLACE)

    def test_C3_wrong_keys_and_values_have_a_place_and_the_nearest_name(self):
        for config, message in {
                "[limits]\n  timout = 3": "2:3: unknown key 'timout' in [limits] (did you "
                                          "mean 'timeout'?)",
                "[limit]": "1:2: unknown section 'limit' (did you mean [limits]?)",
                '[models.m]\nprovider = "opena"': "2:12: unknown provider 'opena' (did you "
                                                  "mean 'openai'?)",
                '[[rules]]\nmodel = "sonet"': "2:9: unknown model 'sonet' (did you mean "
                                              "'sonnet'?)",
                'profile = "qualty"': "1:11: unknown profile 'qualty' (did you mean "
                                      "'quality'?)",
                "profile = 1": "1:11: 'profile' must be a string, not an integer",
                '[limits]\nretries = "2"': "2:11: 'retries' in [limits] must be an integer, "
                                           "not a string",
                "[limits]\nretries = -1": "2:11: 'retries' in [limits] must be between 0 and",
                "[limits]\nretries = 101": "2:11: 'retries' in [limits] must be between 0 and",
                '[limits]\ntimeout = "-3s"': "2:11: 'timeout' in [limits] must be a time from",
                "[models.gpt-5]\nprice = { input = nan }": "2:19: 'input' in price = { ... } "
                                                           "must be between 0 and",
                "[models.gpt-5]\nprice = { input = -inf }": "2:19: 'input' in price = ",
                "[models.gpt-5]\nprice = { output = -0.01 }": "2:20: 'output' in price = ",
                "[models.gpt-5]\nability = 21": "2:11: 'ability' in [models.NAME] must be",
        }.items():
            with self.subTest(config):
                result = self.check(config)
                self.assert_status(result, 78)
                self.assertIn(".toml:" + message, result.err)

    def test_C4_huge_and_deep_documents_are_refused_quickly(self):
        for name, text in {
                "2 MiB": ("# " + "x" * 70 + "\n") * (2 * 1024 * 1024 // 73),
                "arrays": "a = " + "[" * 200_000,
                "arrays on lines": "a = " + "[\n" * 200_000,
                "tables": "a = " + "{a=" * 100_000,
                "tables on lines": "a = [\n" + "{a=\n" * 100_000,
                "flat tables": "a = [\n" + "{},\n" * 100_000 + "]\n",
                "dotted key": "a." * 100_000 + "a = 1",
                "dotted keys": "".join("a." * 1000 + f"a{i} = 1\n" for i in range(100)),
                "dotted header": "[" + "a." * 100_000 + "a]",
                "short dotted header": "[" + "a." * 30_000 + "a]",
                "closing brackets": "a = " + "]\n" * 200_000,
                "headers": "".join(f"[a{i}]\n" for i in range(100_000)),
                "long line": 'a = "' + "x" * 70_000 + '"',
        }.items():
            with self.subTest(name):
                result = self.check(text, **SMALL_STACK)
                self.assert_status(result, 78)
                self.assertRegex(result.err, r"config-\d+\.toml")
                # A tenth of a second is meant, a twentieth of this.
                self.assertLess(result.cpu, 2 * harness.SLOWNESS)

    def test_C4_the_largest_nesting_fits_a_small_stack(self):
        key = ".".join("a" * 32)
        for deep in ("a = " + "[" * 64 + "]" * 64,
                     f"[{key}]\n{key} = {{{key[:-4]} = [[1]]}}"):
            result = self.check(deep, **SMALL_STACK)
            self.assert_status(result, 78)
            self.assertIn("unknown key 'a'", result.err)

    def test_C5_byte_order_mark_and_CRLF_but_no_other_encoding(self):
        lines = 'profile = "cost"\r\n[limits]\r\nretries = 1\r\n'
        for text in (lines, "\ufeff" + lines, "\ufeff"):
            self.assert_status(self.check(text), 0)
        result = self.run_llmroute(["config", "get", "profile"], config="\ufeff" + lines)
        self.assertEqual(result.text, "cost\n")
        for data in (b'profile = "co\x00st"\n', b'\x00', b'profile = "caf\xe9"\n',
                     b"# caf\xe9\n", b'profile = "\xc0\xaf"\n', lines.encode("utf-16"),
                     lines.encode("utf-16-be"), lines.encode() + "\ufeff".encode()):
            with self.subTest(data):
                result = self.check_file(self.home.write("bad.toml", data))
                self.assert_status(result, 78)
                self.assertRegex(result.err, r"bad" + PLACE)

    def test_C10_cycles_and_names_used_twice(self):
        model = '[models.{}]\nprovider = "ollama"\naliases = "{}"\n'
        for config, words in {
                '[routes.a]\nmodels = "a"\n': ":2:10: routes lead back to themselves: a -> a",
                '[routes.a]\nmodels = ["haiku", "b"]\n[routes.b]\nmodels = "c"\n'
                '[routes.c]\nmodels = "a"\n': "a -> b -> c -> a",
                model.format("m", "m"): ":3:11: alias 'm' is already a model",
                model.format("a", "b") + model.format("b", "a"): "'b' is already a model",
                model.format("a", "z") + model.format("b", "z"): "already the alias",
                model.format("m", "gpt-5"): "'gpt-5' is already a model",
                model.format("m", "auto"): "'auto' is already a route",
                model.format("x", "y") + '[routes.x]\nmodels = "haiku"\n':
                    "both a model and a route",
                '[providers.p]\n[providers.p]\n': ":2:1: ",
                model.format("m", "x") + '[models.m]\nid = "y"\n': ":4:1: ",
                '[routes.a]\n[routes.a]\n': ":2:1: ",
                'profile = "cost"\nprofile = "fast"\n': ":2:",
                '[[tiers]]\nname = "a"\n[[tiers]]\nname = "a"\n': ":3:1: a second tier 'a'",
                '[[rules]]\nname = "r"\ndeny = "*"\n[[rules]]\nname = "r"\ndeny = "*"\n':
                    ":4:1: a second rule 'r'",
        }.items():
            with self.subTest(config):
                for args in (["config", "check"], ["explain", "-p", "hi"]):
                    result = self.run_llmroute(args, config=config)
                    self.assert_status(result, 78)
                    self.assertIn(words, result.err)

    def test_C12_many_providers_load_in_time_that_grows_as_they_do(self):
        def seconds(count):
            config = "".join(f'[providers.p{i}]\nprotocol = "exec"\ncommand = ["a"]\n'
                             f'[models.m{i}]\nprovider = "p{i}"\n' for i in range(count))
            results = [self.run_llmroute(["config", "get", f"models.m{count - 1}.provider"],
                                         config=config, **SMALL_STACK) for _ in range(3)]
            for result in results:
                self.assert_status(result, 0)
                self.assertEqual(result.text, f"p{count - 1}\n")
            return min(result.cpu for result in results)

        # With the square it would be 64 times as much.
        self.assertLess(seconds(10_000), 24 * seconds(1250))

    def test_C12_many_rules_load_or_are_refused_by_a_limit(self):
        rule = '[[rules]]\ndeny = "x*"\n'
        self.assert_status(self.check(rule * 40_000, **SMALL_STACK), 0)
        patterns = "".join(f'[[rules]]\npattern = "a{i}"\ndeny = "x*"\n' for i in range(20_000))
        result = self.run_llmroute(["explain", "-p", "a1"], config=patterns, **SMALL_STACK)
        self.assert_status(result, 0)
        result = self.check(rule * 100_000, **SMALL_STACK)
        self.assert_status(result, 78)
        self.assertIn("larger than 1 MiB", result.err)
        result = self.check("[[rules]]\n" * 100_000, **SMALL_STACK)
        self.assert_status(result, 78)
        self.assertIn("toml:1:1: rule", result.err)


class Places(ConfigCase):
    def test_C1_without_any_file_the_defaults_are_in_effect(self):
        nobody = {name: None for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME",
                                          "XDG_DATA_HOME", "XDG_CACHE_HOME")}
        nobody["XDG_CONFIG_DIRS"] = self.home.file("none")
        for home in (self.home.path, "/nonexistent/home"):
            env = nobody | {"HOME": home}
            result = self.run_llmroute(["config", "check"], env=env)
            self.assert_status(result, 0)
            self.assertTrue(result.text.startswith("ok: no file; "), result.text)
            shown = self.run_llmroute(["config", "show"], env=env)
            self.assert_status(shown, 0)
            defaults = self.run_llmroute(["config", "show", "--no-config"], env=env)
            self.assertEqual(shown.out, defaults.out)
            explained = self.run_llmroute(["explain", "-p", "hi", "--json"], env=env)
            self.assert_status(explained, 0)
            self.assertEqual(explained.err, "")
        self.assertEqual(sorted(os.listdir(self.home.path)), ["tmp", "work"])

    def test_C7_what_is_no_regular_file_is_refused_without_blocking(self):
        fifo = self.home.file("fifo")
        os.mkfifo(fifo)
        dangling = self.home.file("dangling")
        os.symlink("/nonexistent/file", dangling)
        loop = self.home.file("loop")
        os.symlink(loop, loop)
        to_fifo = self.home.file("to-fifo")
        os.symlink(fifo, to_fifo)
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        listener.bind(self.home.file("socket"))
        user = pathlib.Path(self.user_config(""))
        for path in (fifo, dangling, loop, to_fifo, self.home.file("socket"),
                     self.home.path, "/dev/zero", "/dev/null", "/dev/tty",
                     self.home.file("missing")):
            with self.subTest(path):
                result = self.check_file(path)
                self.assert_status(result, 78)
                self.assertIn(path, result.err)
                if path == self.home.file("missing"):
                    continue
                user.unlink()
                user.symlink_to(path)
                result = self.run_llmroute(["config", "check"], timeout=60)
                self.assert_status(result, 78)
        user.unlink()
        os.mkfifo(user)
        self.assert_status(self.run_llmroute(["config", "check"], timeout=60), 78)
        user.unlink()
        user.symlink_to(self.home.write("elsewhere.toml", 'profile = "cost"\n'))
        result = self.run_llmroute(["config", "get", "profile"])
        self.assertEqual(result.text, "cost\n")

    @needs_root
    def test_C7_a_link_to_the_file_of_another_user(self):
        theirs = self.home.write("theirs.toml", 'profile = "cost"\n')
        os.chown(theirs, 12345, 12345)
        user = self.user_config("")
        os.unlink(user)
        os.symlink(theirs, user)
        link = self.home.file("link")
        os.symlink(theirs, link)
        for args in ([], ["-c", link]):
            result = self.run_llmroute(["config", "check", *args])
            self.assert_status(result, 77)
            self.assertIn("owned by another user", result.err)

    def test_C8_a_file_that_is_replaced_all_the_time_is_read_once(self):
        texts = ["".join(f'[providers.p{i}]\nprotocol = "exec"\ncommand = ["{word}"]\n'
                         for i in range(200)) for word in ("one", "another")]
        path = self.home.write("c.toml", texts[0])
        shown = []
        for text in texts:
            self.home.write("c.toml", text)
            shown.append(self.run_llmroute(["config", "show", "-c", path]).out)
        self.assertNotEqual(*shown)
        done = threading.Event()

        def replace():
            while not done.is_set():
                for text in texts:
                    os.replace(self.home.write("new.toml", text), path)

        replacer = threading.Thread(target=replace)
        replacer.start()
        try:
            for _ in range(40):
                result = self.run_llmroute(["config", "show", "-c", path])
                self.assert_status(result, 0)
                self.assertIn(result.out, shown)
        finally:
            done.set()
            replacer.join()

    def test_C8_a_batch_goes_on_with_what_it_has_read(self):
        stub = self.stub([{"text": "ok", "delay_headers_ms": 50}])
        path = self.home.write("c.toml", harness.stub_config(stub, {"m": {}}))
        process = self.spawn_llmroute(["batch", "--lines", "-j", "1", "-c", path])
        process.stdin.write(b"one\n")
        while not stub.requests(wait=0):
            self.assertIsNone(process.poll())
        os.replace(self.home.write("new.toml", "[[[ nothing"), path)
        process.stdin.write(b"two\nthree\n")
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0, err)
        self.assertEqual(out.count(b'"ok"'), 3)

    def test_C11_variables_that_are_empty_or_relative_are_ignored(self):
        stub = self.stub([{"text": "ok"}])
        config = harness.stub_config(stub, {"m": {}})
        directories = ("CONFIG", "STATE", "DATA", "CACHE")
        self.user_config(config)
        for value in ("", "relative/path", "./here", None):
            env = {f"XDG_{name}_HOME": value for name in directories}
            env["XDG_CONFIG_DIRS"] = value
            result = self.run_llmroute(["config", "path", "-q"], env=env)
            self.assertEqual(result.text, self.home.file(".config/llmroute/config.toml\n"))
            result = self.run_llmroute(["run", "-p", "hi"], env=env)
            self.assert_status(result, 0)
            self.assertTrue(os.path.exists(self.home.file(".local/state/llmroute/ledger.db")))
            shutil.rmtree(self.home.file(".local"))
        self.assertEqual(os.listdir(self.home.file("work")), [])

    def test_C11_without_a_home_the_password_database_is_asked(self):
        try:
            home = pwd.getpwuid(os.getuid()).pw_dir
        except KeyError:
            self.skipTest("this user has no entry")
        for value in (None, "", "relative/home"):
            env = {"HOME": value} | {f"XDG_{name}_HOME": None
                                     for name in ("CONFIG", "STATE", "DATA", "CACHE")}
            result = self.run_llmroute(["config", "path", "-q"], env=env)
            self.assert_status(result, 0)
            self.assertEqual(result.text, f"{home}/.config/llmroute/config.toml\n")
        done = subprocess.run([harness.BINARY, "config", "path", "-q"], env={},
                              cwd=self.home.path, capture_output=True, check=True)
        self.assertEqual(done.stdout.decode(), f"{home}/.config/llmroute/config.toml\n")


class Trust(ConfigCase):
    def evil(self, port, marker):
        """Moves a key to an origin that listens, and runs a command."""
        return harness.provider(
            "openai", base_url=f"http://127.0.0.1:{port}",
            key_command=["touch", marker]) + harness.provider(
                "own", protocol="exec", command=["touch", marker]) + harness.model(
                    "m", provider="own", **harness.DEFAULT_MODEL)

    @contextlib.contextmanager
    def refused(self, *args):
        """Changes something about a configuration within; then it is refused, nothing
        in it is looked up, and none of its commands is run."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.setblocking(False)
            marker = self.home.file("ran")
            yield self.evil(listener.getsockname()[1], marker)
            for command in (["config", "check"], ["run", "-m", "gpt-5", "-p", "hi"],
                            ["run", "-m", "m", "-p", "hi"]):
                result = self.run_llmroute([*command, *args],
                                           env={"OPENAI_API_KEY": harness.KEY})
                self.assert_status(result, 77)
                self.assertEqual(result.out, b"")
            with self.assertRaises(BlockingIOError):
                listener.accept()
            self.assertFalse(os.path.exists(marker))
            self.said = result.err

    def test_C6_a_file_that_others_can_write(self):
        named = self.home.file("named.toml")
        for mode in (0o666, 0o620, 0o602, 0o664):
            with self.refused("-c", named) as text:
                self.home.write("named.toml", text, mode)
            self.assertIn(named, self.said)
            with self.refused() as text:
                os.chmod(self.user_config(text), mode)
        for path in (named, self.user_config("")):
            os.chmod(path, 0o644)
        self.assert_status(self.check_file(named), 0)
        self.assert_status(self.run_llmroute(["config", "check"]), 0)

    def test_C6_a_directory_that_others_can_write(self):
        for name in (".config/llmroute", ".config", ""):
            directory = self.home.file(name).rstrip("/")
            for mode in (0o777, 0o720, 0o702):
                with self.refused() as text:
                    self.user_config(text)
                    os.chmod(directory, mode)
                self.assertIn(f"'{directory}'", self.said)
                os.chmod(directory, 0o700)
        self.assert_status(self.run_llmroute(["config", "check"]), 0)

    @needs_root
    def test_C6_a_file_or_directory_of_another_user(self):
        for args in (["-c", self.home.file("named.toml")], []):
            with self.refused(*args) as text:
                os.chown(self.home.write("named.toml", text), 12345, 12345)
                os.chown(self.user_config(text), 12345, 12345)
            self.assertIn("owned by another user", self.said)
        for name in (".config/llmroute", ".config"):
            with self.refused() as text:
                os.chown(self.user_config(text), 0, 0)
                os.chown(self.home.file(name), 12345, 12345)
            os.chown(self.home.file(name), 0, 0)
        self.assert_status(self.run_llmroute(["config", "check"]), 0)


if __name__ == "__main__":
    unittest.main()
