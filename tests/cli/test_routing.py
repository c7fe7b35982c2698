"""Who gets the prompt: names, tiers, rules, routes, profiles, local models."""

import json
import re
import unittest

import harness
from test_explain import THREE

PROMPTS = harness.SOURCE_DIR / "examples/prompts"
FAMILY = {"haiku": "cheap", "sonnet": "mid", "opus": "strong"}


class Routing(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.server = self.stub()

    def run_one(self, args, models=None, extra="", **options):
        return self.run_llmroute(
            ["run", "--json", "--no-stdin", "--no-ledger"] + args,
            config=harness.stub_config(self.server, models or THREE, extra=extra),
            env={"LLMROUTE_LEDGER": "off"} | options.pop("env", {}), **options)

    def used(self, args, **options):
        result = self.run_one(args, **options)
        self.assert_status(result, 0)
        return result.json()["model"]["used"]

    def test_OAI_3_small_talk_to_cheap_and_a_proof_to_strong(self):
        self.assertEqual(self.used(["-p", "hi, thanks"]), "cheap")
        self.assertEqual(self.used(["-f", PROMPTS / "5-proof.txt", "--worth", "0.3"]),
                         "strong")
        self.assertEqual([r.model for r in self.server.requests()], ["cheap", "strong"])

    def test_OAI_3_a_named_model_gets_both(self):
        for prompt in ("hi, thanks", (PROMPTS / "5-proof.txt").read_text()):
            result = self.run_one(["-m", "strong", "-p", prompt])
            data = result.json()
            self.assertEqual(data["model"]["used"], "strong")
            self.assertEqual(data["model"]["requested"], "strong")
            self.assertEqual(data["route"]["source"], "flag")

    def test_OAI_3_auto_is_said_to_be_the_analyzers_choice(self):
        data = self.run_one(["-p", "hi, thanks"]).json()
        self.assertEqual(data["model"]["requested"], "auto")
        self.assertEqual(data["route"]["source"], "analyzer")
        self.assertTrue(data["id"])

    def test_ANT_2_tiers_by_name(self):
        easy = ["-p", "hi, thanks"]
        hard = ["-f", str(PROMPTS / "5-proof.txt"), "--worth", "5"]
        for alias, model in FAMILY.items():
            self.assertEqual(self.used(["--tier", alias] + easy), model)
        self.assertEqual(self.used(["--min-tier", "sonnet"] + easy), "mid")
        self.assertEqual(self.used(["--max-tier", "haiku"] + hard), "cheap")
        result = self.run_one(["--tier", "sonet"] + easy)
        self.assert_status(result, 64)
        self.assertIn("sonnet", result.err)

    def test_ANT_2_tiers_that_exclude_each_other_are_refused(self):
        for args in (["--tier", "small", "--min-tier", "large"],
                     ["--min-tier", "large", "--tier", "small"]):
            result = self.run_one([*args, "-p", "hi, thanks"])
            self.assert_status(result, 64)
            self.assertIn("--tier small and --min-tier large exclude each other",
                          result.err)
        self.assertEqual(self.used(["--tier", "large", "--min-tier", "small",
                                    "-p", "hi, thanks"]), "strong")

    def test_ANT_2_tiers_are_whatever_the_config_names(self):
        tiers = "".join(harness.table("[[tiers]]", {"name": name})
                        for name in ("bronze", "silver", "gold"))
        models = {name: dict(fields, tier=tier) for (name, fields), tier in
                  zip(THREE.items(), ("bronze", "silver", "gold"))}
        for tier, model in (("bronze", "cheap"), ("gold", "strong")):
            self.assertEqual(self.used(["--tier", tier, "-p", "hi, thanks"],
                                       models=models, extra=tiers), model)

    def test_ANT_7_a_family_of_another_provider_works_the_same(self):
        # Three protocols that are not Anthropic's, names that nobody else uses.
        names = ("sprite", "knight", "titan")
        tiers = "".join(harness.table("[[tiers]]", {"name": name, "aliases": [name + "-class"]})
                        for name in names)
        hard = ["-f", str(PROMPTS / "5-proof.txt"), "--worth", "5"]
        for protocol in ("openai-chat", "gemini", "openai-responses"):
            with self.subTest(protocol):
                models = {f"acme-{name}": dict(fields, tier=name, protocol=protocol)
                          for fields, name in zip(THREE.values(), names)}

                def used(*args):
                    return self.used(list(args), models=models, extra=tiers)
                for name in names:
                    self.assertEqual(used("--tier", name, "-p", "hi, thanks"), f"acme-{name}")
                    self.assertEqual(used("--tier", name + "-class", "-p", "hi, thanks"),
                                     f"acme-{name}")
                self.assertEqual(used("--min-tier", "knight", "-p", "hi, thanks"),
                                 "acme-knight")
                self.assertEqual(used("--max-tier", "sprite", *hard), "acme-sprite")
                self.assertEqual(used("-p", "hi, thanks"), "acme-sprite")
                result = self.run_one(["--tier", "titen", "-p", "hi, thanks"],
                                      models=models, extra=tiers)
                self.assert_status(result, 64)
                self.assertIn("did you mean 'titan", result.err)

    def test_allow_deny_and_require(self):
        self.assertEqual(self.used(["--allow", "s*", "-p", "hi, thanks"]), "strong")
        self.assertEqual(self.used(["--deny", "cheap", "--deny", "strong",
                                    "-p", "hi, thanks"]), "mid")
        models = dict(THREE, mid=dict(THREE["mid"], tags=["tools"]))
        self.assertEqual(self.used(["--require", "tools", "-p", "hi, thanks"],
                                   models=models), "mid")
        result = self.run_one(["--require", "eu", "-p", "hi, thanks"])
        self.assert_status(result, 69)
        self.assertEqual(len(self.server.requests()), 3)

    def test_worth_and_wait_move_the_choice(self):
        prompt = ["-f", PROMPTS / "2-commit-message.txt"]
        self.assertNotEqual(self.used(["--worth", "0.01"] + prompt), "strong")
        self.assertEqual(self.used(["--worth", "100"] + prompt), "strong")
        slow = dict(THREE, strong=dict(THREE["strong"], first_token_seconds=500))
        self.assertNotEqual(self.used(["--worth", "10", "--wait", "1"] + prompt,
                                      models=slow), "strong")

    def test_rules_route_deny_and_require(self):
        extra = harness.table("[routes.careful]", {
            "models": ["strong", "mid"], "select": "ordered"})
        extra += harness.table("[[rules]]", {
            "name": "legal", "pattern": "(?i)contract", "route": "careful"})
        extra += harness.table("[[rules]]", {
            "name": "sql", "file": "*.sql", "deny": "cheap", "max_tier": "medium"})
        extra += harness.table("[[rules]]", {
            "name": "team", "tag": "team=search", "model": "mid"})
        self.assertEqual(self.used(["-p", "this CONTRACT is void"], extra=extra), "strong")
        sql = self.home.write("q.sql", "select 1;")
        self.assertEqual(self.used(["-f", sql, "-p", "what is it?"], extra=extra), "mid")
        self.assertEqual(self.used(["--tag", "team=search", "-p", "hi there"],
                                   extra=extra), "mid")
        self.assertEqual(self.used(["-p", "hi, thanks"], extra=extra), "cheap")

    def test_A17_hostile_patterns_take_linear_time_or_are_refused(self):
        path = self.home.write("long.txt", (b"a" * 63 + b"\n") * (1 << 18))  # 16 MiB
        model = {"m": {"context_window": 100_000_000}}
        used = {}
        for pattern in ("zzz", "(a+)+$", "(a|b)*c", "(.*)*", "(.*)*z", "(a|aa)+$", "(a?){30}z"):
            rule = harness.table("[[rules]]", {"name": "r", "pattern": pattern, "model": "m"})
            result = self.run_llmroute(
                ["explain", "--no-timing", "-f", path], preexec_fn=harness.small_stack,
                config=harness.stub_config(self.stub(), model, extra=rule))
            self.assert_status(result, 0)
            used[pattern] = result.cpu
        for pattern, seconds in used.items():
            # A quarter of a second by the row, and much room for slow machines.
            self.assertLess(seconds, used["zzz"] + 5 * harness.SLOWNESS, pattern)
        many = "|".join(f"w{i:07}" for i in range(1_000_000))
        for pattern, status in (("((a{1,100}){1,100}){1,100}", 78), (many, 78),
                                ("(" * 30_000 + "a" + ")" * 30_000, 0)):
            rule = harness.table("[[rules]]", {"name": "r", "pattern": pattern, "model": "m"})
            result = self.run_llmroute(
                ["explain", "hi there"], preexec_fn=harness.small_stack,
                config=harness.stub_config(self.stub(), model, extra=rule))
            self.assert_status(result, status)

    def test_X5_a_rule_pins_secrets_to_local_models(self):
        local = self.stub([{"text": "kept"}])
        models = dict(THREE, home={"stub": local, "ability": -2.0,
                                   "provider_fields": {"tags": ["local"]}})
        extra = harness.table("[[rules]]", {
            "name": "secrets-local", "pattern": "(?i)password", "require": "local",
            "no_fallback": True})
        for args in ([], ["-m", "strong,home"], ["--fallback", "strong"],
                     ["--profile", "quality"]):
            result = self.run_one(args + ["-p", "is my password good?"],
                                  models=models, extra=extra)
            self.assert_status(result, 0)
            self.assertEqual(result.json()["model"]["used"], "home")
        self.assertEqual(self.server.connections(), 0)

    def test_the_rule_that_requires_what_no_model_has_is_named(self):
        for tag, more in (("local", ""), ("locall", "; did you mean 'local'?")):
            extra = harness.table("[[rules]]", {
                "name": "secrets stay here", "pattern": "password", "require": tag})
            home = {"home": {"stub": self.stub(),
                             "provider_fields": {"tags": ["local"]}}} if more else {}
            result = self.run_one(["-m", "strong", "-p", "my password is x"],
                                  models=THREE | home, extra=extra)
            self.assert_status(result, 69)
            self.assertRegex(
                result.err, rf"no model can answer: strong: not tagged {tag}; rule 'secrets "
                rf"stay here' \(\S+\.toml:\d+\) requires {tag}{re.escape(more)}\n")

    def test_LC_1_a_template_takes_the_input_once_and_literally(self):
        extra = harness.table("[routes.physics]", {
            "models": ["mid"], "prompt": "You are a physicist. {input} Be exact."})
        text = 'why {input} "\\ {x} }{?'
        self.used(["-r", "physics", "-p", text], extra=extra)
        self.assertEqual(self.server.requests()[0].prompt,
                         f"You are a physicist. {text} Be exact.")

    def test_profiles(self):
        prompt = ["-f", PROMPTS / "6-race.txt"]
        self.assertEqual(self.used(["--profile", "quality"] + prompt), "strong")
        result = self.run_one(["--profile", "qualty"] + prompt)
        self.assert_status(result, 64)
        self.assertIn("quality", result.err)

    def test_environment_names_model_route_and_profile(self):
        self.assertEqual(self.used(["-p", "hi, thanks"], env={"LLMROUTE_MODEL": "mid"}),
                         "mid")
        data = self.run_one(["-p", "hi, thanks"], env={"LLMROUTE_MODEL": "mid"}).json()
        self.assertEqual(data["route"]["source"], "env")
        self.assertEqual(self.used(["-m", "strong", "-p", "hi, thanks"],
                                   env={"LLMROUTE_MODEL": "mid"}), "strong")

    def test_an_unlisted_model_of_a_known_provider_can_be_named(self):
        result = self.run_one(["-m", "openai-chat/brand-new", "-p", "hi, thanks"])
        self.assert_status(result, 0)
        self.assertEqual(self.server.requests()[0].model, "brand-new")
        self.assertIsNone(result.json()["cost"]["usd"])

    def test_one_key_and_no_config_at_all_decides_among_its_models(self):
        result = self.run_llmroute(["run", "-n", "hi, thanks"],
                                   env={"ANTHROPIC_API_KEY": harness.KEY})
        self.assert_status(result, 0)
        self.assertIn("(anthropic)", result.text)
        self.assertIn("https://api.anthropic.com/v1/messages", result.text)
        result = self.run_llmroute(["run", "hi, thanks"])
        self.assert_status(result, 77)
        self.assertIn("OPENAI_API_KEY", result.err)


LOCAL = {"protocol": "ollama", "ability": 0.5, "price": {"input": 0, "output": 0},
         "first_token_seconds": 0.5,
         "provider_fields": {"tags": ["local"], "key_env": []}}


class LocalModels(harness.TestCase):
    def config(self, cloud, ollama_url, **fields):
        text = harness.stub_config(cloud, {"cloud": {
            "ability": 1.0, "price": {"input": 1, "output": 4}}})
        text += harness.provider("here", protocol="ollama", base_url=ollama_url,
                                 tags=["local"])
        return text + harness.model("local", provider="here", **(
            {"id": "small", "ability": 0.5, "price": {"input": 0, "output": 0},
             "context_window": 32000, "first_token_seconds": 0.5} | fields))

    def test_OLR_2_fifty_easy_prompts_stay_local_and_cost_0(self):
        cloud, local = self.stub(), self.stub(models=["small:latest"])
        config = self.home.write("c.toml", self.config(cloud, local.origin))
        for number in range(50):
            result = self.run_llmroute(["run", "-c", config, "--json", "-p",
                                        f"hi, thanks a lot, number {number}"])
            self.assert_status(result, 0)
            self.assertEqual(result.json()["model"]["used"], "local")
            self.assertEqual(result.json()["cost"]["usd"], 0)
        self.assertEqual(cloud.connections(), 0)

    def test_OLR_3_local_down_the_cloud_answers_without_delay(self):
        cloud = self.stub([{"text": "from the cloud"}])
        port = harness.closed_port()
        config = self.home.write("c.toml", self.config(cloud, f"http://127.0.0.1:{port}"))
        args = ["run", "-c", config, "--json", "-p", "hi, thanks"]
        only_cloud = ["run", "-c", config, "--json", "-m", "cloud", "-p", "hi, thanks"]
        first = self.run_llmroute(args)
        self.assert_status(first, 0)
        self.assertEqual(first.json()["model"]["used"], "cloud")
        plain = min(self.run_llmroute(only_cloud).elapsed for _ in range(5))
        self.assertLess(first.elapsed - plain, 10)  # a time-out would be
        for _ in range(3):
            self.assertEqual(len(self.run_llmroute(args).json()["attempts"]), 1)

    def test_OLR_3_an_unknown_model_may_be_one_of_a_server_that_is_down(self):
        address = f"127.0.0.1:{harness.closed_port()}"
        for name, more in (("llama3.2:3b", f"; no Ollama answers at http://{address}"),
                           ("gpt-54", "did you mean ")):
            result = self.run_llmroute(["-m", name, "-p", "hi"], env={"OLLAMA_HOST": address})
            self.assert_status(result, 64)
            self.assertIn(f"unknown model '{name}'", result.err)
            self.assertIn(more, result.err)
            self.assertEqual("no Ollama" in result.err, "no Ollama" in more)

    def test_OLR_3_a_server_that_was_down_is_left_alone_for_a_while(self):
        cloud = self.stub([{"text": "x"}])
        local = self.stub(models=["small:latest"])
        origin, port = local.origin, local.port
        config = self.home.write("c.toml", self.config(cloud, origin))
        args = ["run", "-c", config, "--json", "-p", "hi, thanks"]
        local.stop()
        self.assertEqual(self.run_llmroute(args).json()["model"]["used"], "cloud")
        import socket
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", port))
            listener.listen()
            listener.settimeout(0.2)
            result = self.run_llmroute(args)
            self.assertEqual(result.json()["model"]["used"], "cloud")
            with self.assertRaises(TimeoutError):
                listener.accept()

    def test_OLR_1_a_model_that_is_not_pulled_is_unavailable(self):
        cloud, local = self.stub(), self.stub(models=["other:latest"])
        config = self.home.write("c.toml", self.config(cloud, local.origin))
        result = self.run_llmroute(["run", "-c", config, "--json", "-p", "hi, thanks"])
        self.assertEqual(result.json()["model"]["used"], "cloud")
        result = self.run_llmroute(["explain", "-c", config, "--json", "-p", "hi, thanks"])
        self.assertIn({"model": "local", "reason": "not pulled"},
                      result.json()["excluded"])
        self.assertIn("other:latest", [c["model"] for c in result.json()["candidates"]])
        result = self.run_llmroute(["run", "-c", config, "-m", "local", "-p", "hi, thanks"])
        self.assert_status(result, 69)
        self.assertIn("not pulled", result.err)

    def test_OLLAMA_HOST_alone_is_enough(self):
        local = self.stub(models=["llama3.2:3b"])
        result = self.run_llmroute(["run", "--json", "hi, thanks"],
                                   env={"OLLAMA_HOST": f"127.0.0.1:{local.port}"})
        self.assert_status(result, 0)
        self.assertEqual(result.json()["model"]["used"], "llama3.2:3b")
        self.assertEqual(result.json()["cost"]["usd"], 0)
        self.assertEqual(local.requests()[-1].path, "/api/chat")


if __name__ == "__main__":
    unittest.main()
