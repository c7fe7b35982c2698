"""explain: the decision that run takes, without sending anything."""

import json
import unittest

import harness

THREE = {  # as in examples/quickstart.toml
    "cheap": {"tier": "small", "ability": 0.0, "price": {"input": 0.1, "output": 0.4},
              "first_token_seconds": 0.4, "tokens_per_second": 150},
    "mid": {"tier": "medium", "ability": 1.2, "price": {"input": 1, "output": 5},
            "first_token_seconds": 0.9, "tokens_per_second": 90},
    "strong": {"tier": "large", "ability": 2.6, "price": {"input": 5, "output": 25},
               "first_token_seconds": 1.6, "tokens_per_second": 60},
}
RULES = harness.table("[[rules]]", {
    "name": "secrets", "pattern": "(?i)password", "model": "cheap"}) + harness.table(
    "[[rules]]", {"name": "german", "language": "de", "min_tier": "medium"})


class Explain(harness.TestCase):
    def explain(self, args, stub=None, extra=RULES, **options):
        stub = stub or self.stub()
        result = self.run_llmroute(["explain"] + args, config=harness.stub_config(
            stub, THREE, extra=extra), **options)
        return stub, result

    def test_P9_it_names_the_model_that_run_uses_and_contacts_nothing(self):
        for prompt in ("hi, thanks", "my password is hunter2, is it good?",
                       harness.SOURCE_DIR.joinpath("examples/prompts/5-proof.txt").read_text(),
                       harness.SOURCE_DIR.joinpath("examples/prompts/6-race.txt").read_text()):
            stub, explained = self.explain(["--json", "-p", prompt])
            self.assert_status(explained, 0)
            self.assertEqual(stub.connections(), 0)
            answered = self.run_llmroute(["run", "--json", "-p", prompt],
                                         config=harness.stub_config(stub, THREE, extra=RULES))
            self.assert_status(answered, 0)
            self.assertEqual(explained.json()["decision"]["model"],
                             answered.json()["model"]["routed"])

    def test_P9_every_excluded_model_has_one_reason(self):
        _, result = self.explain(["--json", "--deny", "strong", "--require", "local",
                                  "-p", "hi there"])
        reasons = {e["model"]: e["reason"] for e in result.json()["excluded"]}
        self.assertEqual(reasons["strong"], "denied by 'strong'")
        self.assertEqual(reasons["cheap"], "not tagged local")
        self.assert_status(result, 69)

    def test_worth_is_the_sum_of_its_three_terms(self):
        _, result = self.explain(["--json", "--worth", "0.2", "--wait", "0.001",
                                  "-p", "hi there"])
        data = result.json()
        self.assertEqual(data["decision"]["worth_usd"], 0.2)
        for c in data["candidates"]:
            worth = 0.2 * c["good"] - c["cost_usd"] - 0.001 * c["seconds"]
            self.assertAlmostEqual(c["worth_usd"], worth, places=12)
        gains = [c["worth_usd"] for c in data["candidates"] if c["worth_usd"] >= 0]
        self.assertEqual(gains, sorted(gains, reverse=True))
        losses = [c["usd_per_good_answer"] for c in data["candidates"]
                  if c["worth_usd"] < 0]
        self.assertEqual(losses, sorted(losses))

    def test_rules_carry_file_line_and_why(self):
        _, result = self.explain(["--json", "-p", "my password is x"])
        first, second = result.json()["rules"]
        self.assertTrue(first["matched"])
        self.assertTrue(first["file"].endswith(".toml"))
        with open(first["file"], encoding="utf-8") as file:
            self.assertEqual(file.read().splitlines()[first["line"] - 1], "[[rules]]")
        self.assertFalse(second["matched"])
        self.assertIn("language", second["why"])

    def test_features_name_n_grams_of_the_prompt(self):
        prompt = "Prove that every bounded monotone sequence converges"
        _, result = self.explain(["--json", "-p", prompt])
        features = result.json()["features"]
        self.assertTrue(features)
        words = [f["text"] for f in features if not f["text"].startswith("[")]
        self.assertTrue(words)
        for text in words:
            # "_" stands for the edge of a word.
            self.assertIn(text.replace("_", " ").split()[0], prompt.lower())

    def test_identical_calls_are_byte_identical_without_timing(self):
        config = self.home.write("c.toml", harness.stub_config(self.stub(), THREE))
        for form in (["--json"], []):
            outs = {self.run_llmroute(["explain", "-c", config, "--no-timing"] + form +
                                      ["-p", "why is the sky blue?"]).out
                    for _ in range(5)}
            self.assertEqual(len(outs), 1)

    def test_it_needs_no_keys_and_says_what_run_would_do(self):
        _, result = self.explain(["-p", "hi there"], env={"STUB_KEY": None})
        self.assert_status(result, 0)
        self.assertIn("STUB_KEY is not set", result.text)
        self.assertIn("cheap", result.text)

    def test_X9_expectations_hold_or_exit_1(self):
        for expect, status in (("tier=small", 0), ("model=cheap", 0), ("route=auto", 0),
                               ("domain=chat", 0), ("cost<0.01", 0), ("cost<0.0000001", 1),
                               ("tier=large", 1), ("model=strong", 1), ("rule=none", 0)):
            _, result = self.explain(["--expect", expect, "-p", "hi, thanks"])
            self.assert_status(result, status)
            if status:
                self.assertIn("expected", result.err)
        _, result = self.explain(["--expect", "colour=red", "-p", "hi, thanks"])
        self.assert_status(result, 64)

    def test_text_names_the_three_terms_and_the_runner_up(self):
        _, result = self.explain(["-p", "hi, thanks"])
        self.assertRegex(result.text, r"because +worth most: \d\.\d\d x \$0\.0500 - "
                                      r"\$[\d.]+ - [\d.]+ s x \$[\d.]+ = \$[\d.]+")
        for line in ("model ", "prompt ", "candidates ", "rules ", "config "):
            self.assertIn("\n" + line, "\n" + result.text)

    def test_colour_is_for_terminals_or_on_demand(self):
        for args, env, coloured in (([], {}, False), (["--color=always"], {}, True),
                                    (["--color"], {}, True),
                                    (["--color=never"], {"FORCE_COLOR": "1"}, False),
                                    ([], {"FORCE_COLOR": "1"}, True),
                                    ([], {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False)):
            _, result = self.explain(args + ["-p", "hi, thanks"], env=env)
            self.assertEqual(b"\x1b[1mmodel\x1b[0m" in result.out, coloured, (args, env))

    def test_stats_of_long_context_say_how_much_was_looked_at(self):
        _, result = self.explain(["sum it up"], stdin="many words " * 200_000)
        data, = [line for line in result.text.splitlines() if line.startswith("prompt")]
        self.assertIn("looked at", data)


if __name__ == "__main__":
    unittest.main()
