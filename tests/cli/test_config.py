"""Configuration as the user meets it: the config command, refusals, trust."""

import ctypes
import json
import os
import pathlib
import re
import signal
import tomllib
import unittest
import urllib.parse

import harness

USER = 12345  # some user that is not this one


def curl_host(curl, url):
    """The host that libcurl takes from a URL; None if it refuses it."""
    curl.curl_url.restype = ctypes.c_void_p
    handle, host = ctypes.c_void_p(curl.curl_url()), ctypes.c_char_p()
    whole, host_part = 0, 5  # CURLUPART_URL, CURLUPART_HOST
    if curl.curl_url_set(handle, whole, url.encode(), 0) == 0:
        curl.curl_url_get(handle, host_part, ctypes.byref(host), 0)
    text = host.value and host.value.decode()
    curl.curl_free(host)
    curl.curl_url_cleanup(handle)
    return text


class ConfigCommand(harness.TestCase):
    def config(self, *args, **options):
        return self.run_llmroute(["config", *args], **options)

    def user_config(self, text, mode=0o600):
        return self.home.write(".config/llmroute/config.toml", text, mode)

    # path

    def test_path_is_the_file_alone_on_stdout(self):
        result = self.config("path")
        self.assert_status(result, 0)
        path = self.home.file(".config/llmroute/config.toml")
        self.assertEqual(result.text, path + "\n")
        self.assertIn(f"{path}: does not exist", result.err)
        self.user_config("")
        self.assertIn(f"{path}: exists", self.config("path").err)
        self.assertEqual(self.config("path", "-q").err, "")

    def test_path_with_a_named_file_or_none(self):
        named = self.home.write("named.toml", "")
        self.assertEqual(self.config("path", "-c", named).text, named + "\n")
        self.assertEqual(self.config("path", "--no-config").text, "")

    # show

    def test_show_reads_back_to_itself(self):
        text = ('profile = "cost"\n[models."a.b"]\nprovider = "openai"\n'
                '[[rules]]\npattern = "x\\ty"\nmodel = "a.b"\n')
        shown = self.config("show", config=text)
        self.assert_status(shown, 0)
        document = tomllib.loads(shown.text)
        self.assertEqual(document["profile"], "cost")
        self.assertEqual(document["rules"][0]["pattern"], "x\ty")
        self.assertGreater(len(document["models"]), 50)
        again = self.config("show", config=shown.text)
        self.assertEqual(again.text, shown.text)

    def test_show_origin_names_the_place_of_every_line(self):
        path = self.home.write("c.toml", 'profile = "cost"\n[limits]\nretries = 1\n')
        result = self.config("show", "--origin", "-c", path)
        self.assert_status(result, 0)
        self.assertIn(f'profile = "cost"  # {path}:1\n', result.text)
        self.assertIn(f"retries = 1  # {path}:3\n", result.text)
        self.assertIn('timeout = "600s"  # default\n', result.text)
        for line in result.text.splitlines():
            if "=" in line and not line.startswith("["):
                self.assertRegex(line, r"  # \S+$")
        tomllib.loads(result.text)

    def test_show_names_OLLAMA_HOST(self):
        result = self.config("show", "--origin",
                             env={"OLLAMA_HOST": "0.0.0.0:5000"})
        self.assertIn('base_url = "http://127.0.0.1:5000"  # OLLAMA_HOST',
                      result.text)
        bad = self.config("show", env={"OLLAMA_HOST": "a b"})
        self.assert_status(bad, 78)
        self.assertIn("OLLAMA_HOST", bad.err)

    def test_show_fails_when_nothing_can_be_written(self):
        with open("/dev/full", "wb") as full:
            result = self.config("show", stdout=full)
        self.assert_status(result, 74)

    # check

    def test_check_says_ok_in_one_line(self):
        result = self.config("check", env={"OPENAI_API_KEY": harness.KEY})
        self.assert_status(result, 0)
        self.assertRegex(result.text, r"\Aok: no file; models \d+ \(with a key "
                                      r"\d+\), routes 1, rules 0\n\Z")
        self.assertEqual(result.err, "")

    def test_check_gives_the_place_and_the_nearest_name(self):
        path = self.home.write("c.toml", "[limits]\n  timout = 3\n")
        result = self.config("check", "-c", path)
        self.assert_status(result, 78)
        self.assertEqual(result.text, "")
        self.assertIn(f"{path}:2:3: unknown key 'timout' in [limits] (did you "
                      "mean 'timeout'?)", result.err)

    def test_check_warns_of_tiers_out_of_reach(self):
        tiers = '[[tiers]]\nname = "a"\n[[tiers]]\nname = "b"\n'
        models = ('[providers.own]\nprotocol = "openai-chat"\n'
                  'base_url = "http://127.0.0.1:1"\n'
                  '[models.m]\nprovider = "own"\ntier = "b"\nability = 1\n'
                  'price = { input = 1, output = 1 }\n'
                  '[routes.auto]\nmodels = "m"\n')
        result = self.config("check", config=tiers + models)
        self.assert_status(result, 0)
        self.assertIn("tier 'a' can never be reached", result.err)
        self.assertNotIn("tier 'b'", result.err)

    def test_check_takes_the_file_as_operand(self):
        bad = self.home.write("work/bad.toml", 'profile = "cheapp"\n')
        result = self.run_llmroute(["config", "check", bad])
        self.assert_status(result, 78)
        self.assertIn("bad.toml:1:11: unknown profile 'cheapp' (known: quality, "
                      "balanced, cost, fast)", result.err)
        good = self.home.write("work/good.toml", 'profile = "cost"\n')
        result = self.run_llmroute(["config", "check", good])
        self.assert_status(result, 0)
        self.assertIn("good.toml", result.text)

    def test_check_warns_of_keys_that_routes_need(self):
        route = '[routes.r]\nmodels = ["haiku", "gpt-5"]\n'
        result = self.config("check", config=route,
                             env={"OPENAI_API_KEY": harness.KEY})
        self.assert_status(result, 0)
        self.assertIn("route 'r' uses claude-haiku", result.err)
        self.assertIn("ANTHROPIC_API_KEY is not set", result.err)
        self.assertNotIn("OPENAI_API_KEY", result.err)

    def test_check_warns_of_models_without_price_or_ability(self):
        result = self.config("check", config='[models.m]\nprovider = "ollama"\n')
        self.assert_status(result, 0)
        self.assertIn("model 'm' has no price", result.err)
        self.assertIn("model 'm' has no ability", result.err)
        for ability in "0", "0.0", "{ code = 0 }":
            config = ('[models.m]\nprovider = "ollama"\nprice = { input = 0, '
                      f'output = 0 }}\nability = {ability}\n')
            result = self.config("check", config=config)
            self.assertNotIn("model 'm'", result.err)
            shown = self.config("show", config=config)
            again = self.config("check", config=shown.text)
            self.assertNotIn("model 'm'", again.err)

    def test_check_warns_of_what_matches_nothing(self):
        config = ('[[rules]]\nname = "r"\nrequire = "jsno"\ndeny = "gtp-*"\n'
                  '[routes.x]\nmodels = ["cluade-*", "gpt-*"]\n')
        result = self.config("check", config=config)
        self.assert_status(result, 0)
        self.assertIn("rule 'r' requires 'jsno', which no model has (did you mean "
                      "'json'?)", result.err)
        self.assertIn("rule 'r': pattern 'gtp-*' matches no model", result.err)
        self.assertIn("route 'x': pattern 'cluade-*' matches no model", result.err)
        self.assertNotIn("'gpt-*'", result.err)

    def test_check_says_nothing_of_what_the_user_did_not_write(self):
        readme = harness.SOURCE_DIR.joinpath("README.md").read_text(encoding="utf-8")
        example = readme.split("```toml\n")[1].split("```")[0]
        result = self.config("check", config=example)
        self.assert_status(result, 0)
        self.assertEqual(result.err, "")
        unused = ('[models.m]\nprovider = "ollama"\n'
                  '[routes.auto]\nmodels = ["gemma-3-27b"]\n')
        self.assertNotIn("model 'm'", self.config("check", config=unused).err)
        asked = example + 'min_tier = "large"\n'
        self.assertIn("tier 'large' cannot be reached now",
                      self.config("check", config=asked).err)

    def test_bad_names_are_told_with_what_was_meant(self):
        key = harness.KEY
        for config, words in (
                ('[route.auto]\nmodels = "x"\n', "1:2: unknown section 'route' (did you mean "
                                                 "[routes.auto]?)"),
                ('[profile.x]\nworth = 1\n', "(did you mean [profiles.x]?)"),
                ('[[rule]]\nname = "r"\n', "(did you mean [[rules]]?)"),
                (f'[providers.x]\napi_key = "{key}"\n',
                 "2:1: unknown key 'api_key' in [providers.NAME]: a key is not written here; "
                 "key_env names a variable that holds it, key_file a file, key_command a "
                 "command that prints it"),
                ('[[rules]]\ndomain = "poetry"\n',
                 "names an unknown domain 'poetry' (known: code, agentic, math, reasoning, "
                 "knowledge, writing, chat, text, tools)"),
                ('[[rules]]\nlanguage = ["latin", "fr"]\n',
                 "2:22: 'language' in [[rules]] holds 'fr': only the script of a prompt is "
                 "told, as one of latin, cyrillic, arabic, indic, el, he, zh, ja, ko")):
            result = self.config("check", config=config)
            self.assert_status(result, 78)
            self.assertIn(words, result.err)
            self.assertNotIn(key, result.err)

    def test_of_no_config_and_config_the_later_one_counts(self):
        path = self.home.write("own.toml", 'profile = "cost"\n')
        for args, profile in ((["--no-config", "-c", path], "cost"),
                              (["-c", path, "--no-config"], "balanced")):
            self.assertEqual(self.config("get", "profile", *args).text, profile + "\n")

    # init

    def test_init_writes_a_private_file_once(self):
        result = self.config("init")
        self.assert_status(result, 0)
        path = pathlib.Path(result.text.rstrip("\n"))
        self.assertEqual(str(path), self.home.file(".config/llmroute/config.toml"))
        self.assertEqual(path.stat().st_mode & 0o777, 0o600)
        self.assertEqual(path.parent.stat().st_mode & 0o777, 0o700)
        self.assert_status(self.config("check"), 0)
        path.write_text("profile = \"cost\"\n")
        again = self.config("init")
        self.assert_status(again, 73)
        self.assertIn("--force", again.err)
        self.assertEqual(path.read_text(), "profile = \"cost\"\n")
        self.assert_status(self.config("init", "--force"), 0)
        self.assertIn("[limits]", path.read_text())

    def test_every_example_of_the_starter_file_works(self):
        self.assert_status(self.config("init"), 0)
        path = pathlib.Path(self.home.file(".config/llmroute/config.toml"))
        text = re.sub(r"(?m)^#(?=\S)", "", path.read_text())
        self.assertNotEqual(text, path.read_text())
        path.write_text(text)
        result = self.config("check")
        self.assert_status(result, 0)
        self.assertIn("rules 2", result.text)
        tomllib.loads(text)

    def test_init_where_nothing_can_be_created(self):
        self.home.write(".config", "a file in the way")
        self.assert_status(self.config("init"), 73)

    # get

    def test_get_prints_the_parts_of_what_has_some(self):
        config = ('[models.m]\nprovider = "ollama"\n'
                  'price = { input = 1.5, output = 2 }\n')
        result = self.config("get", "models.m.price", config=config)
        self.assert_status(result, 0)
        self.assertEqual(tomllib.loads(result.text),
                         {"models": {"m": {"price": {"input": 1.5, "output": 2}}}})

    def test_get_prints_one_value(self):
        config = ('profile = "cost"\n[routes.r]\nmodels = ["haiku", "opus"]\n'
                  'prompt = "a \\"b\\"\\n{input}"\n')
        for key, value in {
                "profile": "cost",
                "routes.r.models": '["haiku", "opus"]',
                "routes.r.prompt": 'a "b"\n{input}',
                "limits.retries": "2",
                "models.gpt-5.2.provider": "openai",
                'models."gpt-5.2".temperature': "false",
        }.items():
            result = self.config("get", key, config=config)
            self.assert_status(result, 0)
            self.assertEqual(result.text, value + "\n", key)

    def test_get_of_an_unknown_key_is_a_usage_error(self):
        result = self.config("get", "limits.timout")
        self.assert_status(result, 64)
        self.assertIn("did you mean 'limits.timeout'?", result.err)

    def test_get_of_what_is_not_set_is_negative(self):
        result = self.config("get", "limits.max_cost")
        self.assert_status(result, 1)
        self.assertEqual(result.text, "")


class Refusals(harness.TestCase):
    """What a configuration must not say. Rows C are in test_faults_config.py."""

    def check(self, config, **options):
        return self.run_llmroute(["config", "check"], config=config, **options)

    @unittest.skipUnless(os.geteuid() == 0, "giving files away needs root")
    def test_A20_root_takes_no_file_from_the_home_of_a_user(self):
        stub = self.stub([{"text": "ok"}])
        text = harness.stub_config(stub, {"m": {}})
        own = self.home.write("own.toml", text)
        key = self.home.write("key", harness.KEY)
        with_key = self.home.write("key.toml", harness.stub_config(
            stub, {"m": {}}, provider_fields={"key_env": None, "key_file": key}))
        ask = ["run", "--no-ledger", "-m", "m", "-p", "hi"]
        self.assert_status(self.run_llmroute([*ask, "-c", own]), 0)
        self.assert_status(self.run_llmroute([*ask, "-c", with_key]), 0)
        asked = stub.connections()
        theirs = self.home.write("theirs.toml", text)
        user = self.home.write(".config/llmroute/config.toml", text)
        state = self.home.file(".local/state/llmroute")
        os.makedirs(state, mode=0o700)
        for path in (theirs, key, state):
            os.chown(path, USER, USER)
        for words in ([*ask, "-c", theirs], [*ask, "-c", with_key],
                      ["run", "-m", "m", "-p", "hi", "-c", own]):
            self.assert_status(self.run_llmroute(words), 77)
        # The user's own configuration, then root's in a directory of the user.
        for path in (user, os.path.dirname(user)):
            os.chown(path, USER, USER)
            self.assert_status(self.run_llmroute(ask), 77)
            os.chown(user, 0, 0)
        self.assertEqual(stub.connections(), asked)

    def test_A5_an_unsafe_file_that_moves_a_key_contacts_nobody(self):
        other = self.stub([])
        marker = self.home.file("ran")
        moved = f'[providers.openai]\nbase_url = "{other.origin}"\n'
        command = f'command = ["touch", "{marker}"]\n'
        ask = ["run", "-m", "gpt-5", "-p", "hi", "-c"]
        for text in (moved, moved + "key_" + command,
                     '[providers.openai]\nprotocol = "exec"\n' + command):
            path = self.home.write("evil.toml", text)
            ways = [lambda: os.chmod(path, 0o666), lambda: os.chmod(path, 0o620)]
            if os.geteuid() == 0:
                ways.append(lambda: os.chown(path, USER, USER))
            for spoil in ways:
                os.chmod(path, 0o600)
                spoil()
                result = self.run_llmroute([*ask, path],
                                           env={"OPENAI_API_KEY": harness.KEY})
                self.assert_status(result, 77)
                self.assertIn("evil.toml", result.err)
        self.assertEqual(other.events(), [])
        self.assertFalse(os.path.exists(marker))
        # A safe one is the user's own word.
        path = self.home.write("own.toml", moved)
        self.run_llmroute([*ask, path], env={"OPENAI_API_KEY": harness.KEY})
        self.assertTrue(other.requests())

    def test_A4_plain_http_to_another_machine_with_a_key_is_refused(self):
        # A proxy would see every connection to another machine.
        proxy = self.stub([])
        for allow in ("", "allow_http = true\n"):
            for host in ("192.0.2.1", "h.example", "localhost.example", "[2001:db8::1]"):
                for key in ('key_env = "STUB_KEY"\n', 'key_command = ["echo", "k"]\n'):
                    config = ('[providers.p]\nprotocol = "openai-chat"\n'
                              f'base_url = "http://{host}/v1"\n' + allow + key +
                              '[models.m]\nprovider = "p"\n')
                    result = self.run_llmroute(["run", "-m", "m", "-p", "hi"],
                                               config=config,
                                               env={"http_proxy": proxy.origin})
                    self.assert_status(result, 78)
        self.assertEqual(proxy.events(), [])

    def check_url(self, url):
        return self.check(harness.provider("p", protocol="openai-chat", base_url=url))

    def test_A9_base_url_tricks_are_refused(self):
        for url in ("https://user@h.example", "https://h.example\\@e.example",
                    "https://h.example%2f.e.example", "https://h.example%00.e.example",
                    "https://h.ex\tample", "http://0177.0.0.1", "http://0x7f.0.0.1",
                    "http://2130706433", "http://127.1", "https://h.example.",
                    "https://h.example:0", "https://h.example:65536",
                    "https://h.example#@e.example", "https://h.example?@e.example",
                    "ftp://h.example", "file:///etc/passwd", "gopher://h.example",
                    "unix:/run/h", "//h.example", "https:h.example",
                    "https://h.example/v1;x=//e.example",
                    "https://h\u3002example", "https://\uff48.example",
                    "https://\u0435.example", "http://[::1%25lo]", "http://[::1"):
            result = self.check_url(url)
            self.assert_status(result, 78)
            self.assertIn("toml:3:12: 'base_url'", result.err)

    def test_A9_hosts_that_are_accepted_are_those_of_libcurl_and_the_standard(self):
        try:
            curl = ctypes.CDLL("libcurl.so.4")
        except OSError:
            self.skipTest("libcurl.so.4 is not installed")
        for host in ("h.example", "a-b.h.example", "xn--mnchen-3ya.example", "1a.2b",
                     "localhost", "127.0.0.1", "203.0.113.255", "[::1]",
                     "[2001:db8::1]", "[::ffff:203.0.113.1]"):
            for rest in ("", "/", ":443", ":8080/v1", "/@e.example", "/a:b@e.example"):
                url = f"https://{host}{rest}"
                self.assert_status(self.check_url(url), 0)
                self.assertEqual(curl_host(curl, url), host, url)
                self.assertEqual(urllib.parse.urlsplit(url).hostname, host.strip("[]"), url)

    def test_templates_without_their_slot_are_refused(self):
        result = self.check('[routes.r]\nprompt = "You are a physicist."\n')
        self.assert_status(result, 78)
        self.assertIn("{input}", result.err)

    def test_bad_patterns_are_refused(self):
        for pattern in ("(", "a{1001}", "(?P<x", "\\\\1", "(?=a)",
                        "((a{100}){100}){100}"):
            result = self.check(f'[[rules]]\npattern = "{pattern}"\n'
                                'model = "haiku"\n')
            self.assert_status(result, 78)
            self.assertIn("toml:2:11: 'pattern'", result.err)

    def test_nothing_is_read_from_the_current_directory(self):
        hostile = 'profile = "hostile"\n'
        work = self.home.file("work")
        for name in ("llmroute.toml", ".llmroute.toml", "config.toml", ".env",
                     ".config/llmroute/config.toml"):
            path = os.path.join(work, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            pathlib.Path(path).write_text(hostile)
        result = self.run_llmroute(["config", "get", "profile"], cwd=work)
        self.assert_status(result, 0)
        self.assertEqual(result.text, "balanced\n")

    def test_A8_base_urls_of_other_tools_are_ignored(self):
        names = [f"{vendor}_{end}" for vendor in (
            "OPENAI", "ANTHROPIC", "GEMINI", "GOOGLE_GEMINI", "GROQ", "MISTRAL", "XAI",
            "DEEPSEEK", "OPENROUTER", "TOGETHER", "LLM", "LITELLM", "OLLAMA")
            for end in ("BASE_URL", "API_BASE", "API_URL", "BASE", "ENDPOINT")]
        evil = dict.fromkeys(names, "http://127.0.0.1:1")
        for args in (["config", "show"], ["models", "--all", "--json"]):
            usual = self.run_llmroute(args)
            self.assert_status(usual, 0)
            self.assertEqual(self.run_llmroute(args, env=evil).out, usual.out)
        result = self.run_llmroute(["config", "get", "providers.openai.base_url"], env=evil)
        self.assertEqual(result.text, "https://api.openai.com/v1\n")


class Keys(harness.TestCase):
    """Keys from files and commands reach the provider and nothing else."""

    def ask(self, key_lines, **options):
        stub = self.stub([{"chunks": ["Hi"]}])
        config = ('[providers.p]\nprotocol = "openai-chat"\n'
                  f'base_url = "{stub.base_url}"\n{key_lines}\n'
                  '[models.m]\nprovider = "p"\ncontext_window = 10000\n')
        result = self.run_llmroute(["run", "-m", "m", "-p", "hi"],
                                   config=config, **options)
        return result, stub.requests()

    def test_a_key_command_gives_the_key(self):
        key = "sk-from-command-" + harness.KEY
        result, requests = self.ask(f'key_command = ["echo", "{key}"]')
        self.assert_status(result, 0)
        self.assertEqual(requests[0].header("authorization"), f"Bearer {key}")

    def test_G8_a_key_command_works_when_the_parent_ignores_sigchld(self):
        for command, status in ((["echo", harness.KEY], 0), (["false"], 77)):
            result, _ = self.ask(
                f"key_command = {json.dumps(command)}",
                preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
            self.assert_status(result, status)
        self.assertIn("key command 'false' ended with exit status 1", result.err)

    def test_a_key_file_gives_the_key_if_it_is_private(self):
        key = "sk-from-file-" + harness.KEY
        path = self.home.write("key", key + "\n", 0o600)
        result, requests = self.ask(f'key_file = "{path}"')
        self.assert_status(result, 0)
        self.assertEqual(requests[0].header("authorization"), f"Bearer {key}")
        os.chmod(path, 0o644)
        result, requests = self.ask(f'key_file = "{path}"')
        self.assert_status(result, 77)
        self.assertEqual(requests, [])

    def test_A3_C9_bad_keys_are_refused_by_the_name_of_their_source(self):
        path = self.home.file("bad-key")
        sources = {"file": f'key_file = "{path}"', "command": f'key_command = ["cat", "{path}"]',
                   "variable": 'key_env = "MY_KEY"'}
        names = {"file": path, "command": "'cat'", "variable": "MY_KEY"}
        for bad in (" words", "\nX-Injected: 1", "\r", "\rX: 1", "\r\nX: 1", "\n\n", "\0",
                    "\u00e9", "\x7f", "\t", "\x1b", "x" * (100 << 10), "x" * (1 << 20)):
            value = harness.KEY + bad
            self.home.write("bad-key", value)
            for source, line in sources.items():
                # What no variable can hold: NUL, and more than the kernel lets it.
                if source == "variable" and ("\0" in bad or len(bad) > 128 << 10):
                    continue
                env = {"MY_KEY": value} if source == "variable" else None
                result, requests = self.ask(line, env=env)
                with self.subTest(source=source, bad=bad[:20]):
                    self.assert_status(result, 77)
                    self.assertIn(names[source], result.err)
                    self.assertNotIn(str(len(value)), result.err)
                    self.assertNotIn("xxx", result.err)
                    if source == "file" and "xxx" in bad:
                        self.assertIn("is larger than 16 KiB", result.err)
                    self.assertEqual(requests, [])
        result, requests = self.ask('key_env = "MY_KEY"', env={"MY_KEY": ""})
        self.assert_status(result, 77)
        self.assertIn("MY_KEY is not set", result.err)


if __name__ == "__main__":
    unittest.main()
