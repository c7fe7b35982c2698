"""Decisions taken again from the ledger alone, as they were and under another
configuration."""

import json
import os
import struct
import unittest

import harness
import test_ledger

USAGE = {"prompt_tokens": 1000, "completion_tokens": 500}
COST = 0.002  # of that at one and two dollars a million tokens


def varint(number):
    """As the ledger packs whole numbers."""
    packed = b""
    while number > 127:
        packed += bytes([number % 128 + 128])
        number //= 128
    return packed + bytes([number])


class ReplayCase(test_ledger.LedgerCase):
    MODELS = {"a": {}, "b": {"price": {"input": 10.0, "output": 20.0},
                             "ability": 2.0, "aliases": ["bee"]}}

    def setUp(self):
        super().setUp()
        self.server = self.stub([{"chunks": ["Hello"], "usage": USAGE}])

    def models(self, extra="", models=None):
        return harness.stub_config(self.server, models or self.MODELS, extra=extra)

    def decide(self, config, *args, status=0, prompt="Hi", **options):
        result = self.run_llmroute(["run", "-p", prompt, "--json", *args],
                                   config=config, **options)
        self.assert_status(result, status)
        return result.json()["id"]

    def replay(self, *args, status=0):
        result = self.run_llmroute(["replay", *args])
        self.assert_status(result, status)
        return result

    def assert_the_same(self, decision):
        report = self.replay(decision, "--json").json()
        self.assertEqual((report["schema"], report["id"], report["same"]),
                         ("llmroute.replay/1", decision, True))
        self.assertEqual(report["was"], report["is"])
        return report

    def kept(self, column):
        (packed,), = self.query(f"SELECT {column} FROM decisions")
        return packed

    def alter(self, column, packed):
        self.query(f"UPDATE decisions SET {column}=x'{packed.hex()}'")

    def with_other(self, text, *args, **options):
        path = self.home.write("work/other.toml", text)
        return self.replay("--with", path, "--json", *args, **options).json()


class AsItWas(ReplayCase):
    def test_X2_a_decision_is_reproduced_byte_for_byte(self):
        decision = self.decide(self.models())
        report = self.assert_the_same(decision)
        self.assertEqual({c["model"] for c in report["was"]["candidates"]},
                         {"a", "b"})
        self.assertEqual(len(report["config"]), 64)
        self.assertEqual(len(report["router_model"]), 64)
        self.assertIn("the same, byte for byte", self.replay("last").text)
        text = self.replay(decision).text.splitlines()[-1]
        self.assertEqual(json.loads(text), report["was"])

    def test_X2_with_every_kind_of_setting(self):
        other = harness.table("[profiles.mine]", {"worth": 0.123456789,
                                                  "wait": 1e-7})
        rules = ('[[rules]]\nname = "by text"\npattern = "(?i)secret"\n'
                 'route = "strong"\nprompt = "Briefly: {input}"\n'
                 '[[rules]]\nfile = ["*.py"]\nmodel = "b"\n'
                 '[[rules]]\nname = "tagged"\ntag = ["team=x"]\nworth = 2.5\n'
                 'deny = ["a"]\n'
                 '[routes.strong]\nmodels = ["b", "a"]\nselect = "ordered"\n')
        tiers = '[[tiers]]\nname = "low"\n[[tiers]]\nname = "high"\n'
        config = self.models(other + rules)
        source = self.home.write("work/x.py", "print(1)")
        for args, options in (
                ((), {}), (("-m", "bee"), {}), (("-m", "b,a"), {}),
                (("--profile", "mine"), {}), (("--worth", "0.7", "--wait", "0"), {}),
                (("--tag", "team=x"), {}), (("-f", source), {}),
                ((), {"prompt": "a Secret: café \U0001f600"}),
                (("--fallback", "a", "-m", "b"), {}), (("--no-fallback",), {}),
                (("--max-tokens", "77", "--max-cost", "0.5"), {}),
                (("-r", "strong"), {}), (("--deny", "b*"), {}),
                (("-m", "openai-chat/new-model"), {}),
                ((), {"env": {"LLMROUTE_ROUTE": "strong"}})):
            with self.subTest(args=args, **options):
                self.assert_the_same(self.decide(config, *args, **options))
        tiered = {name: dict(fields, tier=tier) for (name, fields), tier in
                  zip(self.MODELS.items(), ("low", "high"))}
        config = self.models(tiers, tiered)
        self.assert_the_same(self.decide(config, "--min-tier", "high"))

    def test_X2_with_the_built_in_registry_and_a_model_taken_out(self):
        config = self.models('[models."gpt-5"]\nenabled = false\n'
                             '[models."claude-haiku-5-5"]\nprice = { input = 9.5, '
                             'output = 1.25 }\n')
        env = {"OPENAI_API_KEY": harness.KEY, "ANTHROPIC_API_KEY": harness.KEY}
        self.assert_the_same(self.decide(config, "--allow", "a", env=env))
        report = self.assert_the_same(self.decide(config, "-m", "a", env=env))
        self.assertEqual(report["was"]["source"], "flag")
        kinds = self.query("SELECT kind, count(*) FROM snapshots GROUP BY kind")
        self.assertEqual(dict(kinds), {"config": 1, "registry": 1,
                                       "shared_inputs": 1})

    def test_X2_with_models_of_a_local_server(self):
        local = self.stub([{"chunks": ["Hello"], "usage": USAGE}],
                          models=["llama3.2:3b", "qwen3:8b"])
        env = {"OLLAMA_HOST": f"127.0.0.1:{local.port}"}
        self.assert_the_same(self.decide(self.models(), env=env))
        self.assert_the_same(self.decide(self.models(), "--require", "local",
                                         env=env))

    def test_a_run_that_failed_can_be_taken_again(self):
        dead = self.stub([{"status": 401}])
        config = harness.stub_config(dead, self.MODELS)
        self.ask(config)
        self.assert_the_same(self.query("SELECT id FROM decisions")[0][0])

    def test_X2_X10_what_was_learned_by_then_counts_and_not_what_came_after(self):
        config = self.models("[learning]\nexplore = 0.5\nseed = 7\n")
        decisions = []
        for number in range(12):
            decisions.append(self.decide(config, "--session", "s",
                                         prompt=f"say {number}"))
            self.run_llmroute(["feedback", "last", "bad" if number % 2 else "good"])
        explored = self.query("SELECT count(*) FROM decisions WHERE propensities "
                              "IS NOT NULL")[0][0]
        self.assertGreater(explored, 0)
        for decision in decisions:
            self.assert_the_same(decision)

    def test_what_comes_out_otherwise_is_told_and_is_1(self):
        decision = self.decide(self.models())
        outcome = self.kept("outcome")
        self.alter("outcome", outcome.replace(b"\4auto\4auto", b"\4auto\1x"))
        result = self.replay(decision, status=1)
        self.assertIn('"route":"x"', result.text)
        self.assertIn('"route":"auto"', result.text)
        self.assertIn("comes out otherwise", result.err)
        report = self.replay(decision, "--json", status=1).json()
        self.assertEqual((report["same"], report["was"]["route"],
                          report["is"]["route"]), (False, "x", "auto"))
        self.alter("outcome", outcome[:-1])
        self.replay(decision, status=65)

    def test_other_statistics_of_the_prompt_give_another_outcome(self):
        decision = self.decide(self.models())
        inputs = self.kept("inputs")
        # After the version, two sizes, two limits that are not there, and the
        # shares of nine domains.
        self.assertEqual(inputs[3:5], b"\0\0")
        at = 5 + 9 * 8
        self.alter("inputs", inputs[:at] + struct.pack("<d", 3.5) + inputs[at + 8:])
        self.replay(decision, status=1)

    def test_X2_a_missing_snapshot_is_an_error_and_not_a_guess(self):
        decision = self.decide(self.models())
        for kind in ("shared_inputs", "config", "registry"):
            saved = self.query(f"SELECT * FROM snapshots WHERE kind='{kind}'")[0]
            self.query(f"DELETE FROM snapshots WHERE kind='{kind}'")
            result = self.replay(decision, status=66)
            self.assertEqual(result.text, "")
            self.assertIn("no snapshot", result.err)
            text = saved[2].replace("'", "''")
            self.query(f"INSERT INTO snapshots VALUES('{saved[0]}', '{kind}', "
                       f"'{text}')")
            self.replay(decision)
        self.query("UPDATE decisions SET inputs=NULL")
        self.replay(decision, status=66)

    def test_an_altered_snapshot_or_input_is_refused(self):
        decision = self.decide(self.models())
        inputs = self.kept("inputs")
        tokens, bound = inputs[1:2], inputs[2:3]
        self.assertEqual(inputs[3:5], b"\0\0")  # no limit of tokens, no ceiling
        most, too_much = varint(2**63 - 1), varint(2**64 - 1)
        for head in (most + bound + b"\0\0", too_much + bound + b"\0\0",
                     tokens + most + b"\0\0", tokens + bound + b"\2\0",
                     tokens + bound + b"\1" + too_much + b"\0",
                     tokens + bound + b"\0\1" + too_much):
            with self.subTest(head=head):
                self.alter("inputs", inputs[:1] + head + inputs[5:])
                self.replay(decision, status=65)
        for altered in (inputs[:-1], inputs + b"\0", b"\2" + inputs[1:], b"",
                        inputs[:5] + struct.pack("<d", float("nan")) + inputs[13:]):
            with self.subTest(altered=altered):
                self.alter("inputs", altered)
                self.replay(decision, status=65)
        self.alter("inputs", inputs)
        self.replay(decision)
        for kind in ("config", "shared_inputs"):
            self.query("UPDATE snapshots SET text=text || '#' "
                       f"WHERE kind='{kind}'")
            self.assertIn("altered", self.replay(decision, status=65).err)

    def test_unknown_ids_are_66(self):
        self.replay("last", status=66)
        self.decide(self.models())
        self.replay("01ARZ3NDEKTSV4RRFFQ69G5FAV", status=66)
        self.replay(status=64)
        self.replay("last", "--since", "7d", status=64)

    def test_A1_snapshots_hold_no_keys_headers_or_commands(self):
        key = self.home.write("work/key", "canary-key-1")
        extra = ('[providers.x]\nprotocol = "openai-chat"\n'
                 f'base_url = "{self.server.base_url}"\nkey_file = "{key}"\n'
                 'headers = { "X-Team" = "canary-key-2" }\n'
                 '[models.x]\nprovider = "x"\n'
                 '[providers.y]\nprotocol = "exec"\n'
                 'command = ["/bin/echo", "--token=canary-key-3"]\n'
                 '[models.y]\nprovider = "y"\n'
                 '[providers.z]\nprotocol = "openai-chat"\n'
                 f'base_url = "{self.server.base_url}"\n'
                 'key_command = ["/bin/echo", "canary-key-4"]\n'
                 '[models.z]\nprovider = "z"\n')
        decision = self.decide(self.models(extra), "-m", "a",
                               prompt="canary-key-5")
        self.assert_the_same(decision)
        folder = os.path.dirname(self.path())
        for name in os.listdir(folder):
            with open(os.path.join(folder, name), "rb") as file:
                data = file.read()
            self.assertNotIn(b"canary-key", data, name)
            self.assertNotIn(harness.KEY.encode(), data, name)


class WithAnother(ReplayCase):
    def test_what_would_change_and_what_it_would_have_cost(self):
        for _ in range(2):
            self.decide(self.models(), "-m", "b")
        self.decide(self.models(), "--profile", "cost")
        other = self.models(models={
            "a": {"price": {"input": 5.0, "output": 10.0}, "ability": -9.0},
            "b": {"price": {"input": 10.0, "output": 20.0}}})
        report = self.with_other(other)
        self.assertEqual((report["decisions"], report["same"], report["changed"]),
                         (3, 2, 1))
        self.assertEqual(report["changes"],
                         [{"from": "a", "to": "b", "decisions": 1, "compared": 1,
                           "was_usd": COST, "would_usd": 10 * COST}])
        self.assertEqual((report["all"]["was_usd"], report["all"]["would_usd"]),
                         (21 * COST, 30 * COST))
        path = self.home.file("work/other.toml")
        text = self.replay("--with", path).text
        self.assertIn("3 decisions under", text)
        self.assertIn("2 stay, 1 change", text)
        self.assertEqual(self.with_other(self.models())["changed"], 0)

    def test_one_decision(self):
        first = self.decide(self.models(), "-m", "b")
        self.decide(self.models())
        report = self.with_other(self.models(), first)
        self.assertEqual((report["decisions"], report["same"]), (1, 1))

    def test_since(self):
        decision = self.decide(self.models())
        old = "01" + "A" * 24
        self.query("PRAGMA foreign_keys=OFF")
        columns = [row[1] for row in self.query("PRAGMA table_info(decisions)")]
        self.query(f"INSERT INTO decisions SELECT '{old}', " +
                   ", ".join(columns[1:]) + " FROM decisions")
        self.assertEqual(self.with_other(self.models())["decisions"], 2)
        self.assertEqual(self.with_other(self.models(), "--since",
                                         "7d")["decisions"], 1)
        self.assert_the_same(decision)

    def test_rules_on_text_that_was_not_kept_are_counted(self):
        known = '[[rules]]\npattern = "(?i)hello"\nmodel = "b"\n'
        for prompt in ("hello there", "good evening"):
            self.decide(self.models(known), prompt=prompt)
        report = self.with_other(self.models(known))
        self.assertEqual((report["decisions"], report["changed"],
                          report["not_taken"]["unknown_text"]), (2, 0, 0))
        unknown = '[[rules]]\npattern = "evening"\nmodel = "b"\n'
        report = self.with_other(self.models(unknown))
        self.assertEqual(report["not_taken"]["unknown_text"], 2)
        path = self.home.file("work/other.toml")
        self.assertIn("2 decisions cannot be taken again: a rule reads text of the "
                      "prompt, which was not kept",
                      self.replay("--with", path).text)
        # Where the text cannot matter, it is not needed.
        beside = '[[rules]]\npattern = "evening"\ntag = ["team=x"]\nmodel = "b"\n'
        after = known.replace("(?i)hello", ".") + unknown
        self.assertEqual(self.with_other(self.models(beside))["not_taken"]
                         ["unknown_text"], 0)
        self.assertEqual(self.with_other(self.models(known + unknown))["not_taken"]
                         ["unknown_text"], 1)
        self.assertEqual(self.with_other(self.models(after))["not_taken"]
                         ["unknown_text"], 2)
        files = '[[rules]]\nfile = ["*.py"]\nmodel = "b"\n'
        self.assertEqual(self.with_other(self.models(files))["not_taken"]
                         ["unknown_text"], 0)  # no files were given

    def test_what_cannot_be_taken_again_is_counted(self):
        self.decide(self.models(), "-m", "b")
        self.decide(self.models(), "-m", "a")
        self.query("UPDATE decisions SET inputs=NULL WHERE model='a'")
        report = self.with_other(self.models(models={"a": {}}))
        self.assertEqual(report["not_taken"], {"unknown_text": 0, "not_kept": 1,
                                               "no_answer": 1})
        self.assertIsNone(report["all"]["would_usd"])

    def test_a_bad_configuration_is_78(self):
        self.decide(self.models())
        path = self.home.write("work/other.toml", "= bad")
        self.replay("--with", path, status=78)


if __name__ == "__main__":
    unittest.main()
