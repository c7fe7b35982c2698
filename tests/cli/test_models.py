"""The models command: what could be chosen, and what it would cost."""

import unittest

import harness

OWN = ('[providers.own]\nprotocol = "openai-chat"\n'
       'base_url = "http://127.0.0.1:9/v1"\nkey_env = "OWN_KEY"\n'
       '[models.mine]\nprovider = "own"\naliases = "my"\ntier = "large"\n'
       'context_window = 12345\nability = 1.5\n'
       'price = { input = 0.25, output = 1e-6 }\nprice_as_of = "2026-11-01"\n'
       '[models.unpriced]\nprovider = "own"\n')


class Models(harness.TestCase):
    def models(self, *args, **options):
        return self.run_llmroute(["models", *args], **options)

    def names(self, *args, **options):
        result = self.models(*args, "--json", **options)
        self.assert_status(result, 0)
        return [m["name"] for m in result.json()["models"]]

    def test_only_models_with_a_key_are_listed(self):
        names = self.names(env={"ANTHROPIC_API_KEY": harness.KEY})
        self.assertIn("claude-haiku-5-5", names)
        self.assertNotIn("gpt-5", names)
        self.assertEqual(self.names(env={"ANTHROPIC_API_KEY": ""}), [])

    def test_all_lists_every_model(self):
        names = self.names("--all")
        self.assertIn("claude-haiku-5-5", names)
        self.assertIn("gpt-5", names)
        self.assertEqual(len(names), len(set(names)))

    def test_the_table_has_a_row_per_model(self):
        result = self.models(config=OWN, env={"OWN_KEY": harness.KEY})
        self.assert_status(result, 0)
        lines = result.text.splitlines()
        self.assertEqual(
            lines[0].split(),
            "MODEL PROVIDER TIER IN $/1M OUT $/1M WINDOW ABILITY PRICED KEY"
            .split())
        rows = {line.split()[0]: line.split() for line in lines[1:]}
        self.assertEqual(rows["mine"], ["mine", "own", "large", "0.25", "0.000001",
                                        "12,345", "+1.50", "2026-11-01", "yes"])
        self.assertEqual(rows["unpriced"][3:6], ["?", "?", "?"])
        self.assertNotIn(b"\x1b", result.out)

    def test_rows_go_from_weak_and_cheap_to_strong_and_dear(self):
        models = self.models("--all", "--json").json()["models"]
        order = ["small", "medium", "large"]
        places = [(order.index(m["tier"]), m["usd_per_1m"]["output"])
                  for m in models]
        self.assertEqual(places, sorted(places))

    def test_json_has_a_schema_and_exact_prices(self):
        result = self.models("mine", "--json", config=OWN)
        document = result.json()
        self.assertEqual(document["schema"], "llmroute.models/1")
        model, = document["models"]
        self.assertEqual(model["aliases"], ["my", "own/mine"])
        self.assertEqual(model["usd_per_1m"], {"input": 0.25, "output": 0.000001,
                                               "cached_input": None,
                                               "cache_write": None,
                                               "reasoning": None})
        self.assertEqual(model["ability"]["general"], 1.5)
        self.assertEqual(model["key"], "missing")
        self.assertEqual(model["problem"], "OWN_KEY is not set")
        self.assertIs(model["usable"], False)
        self.assertRegex(model["origin"], r"config-\d+\.toml:5$")
        present = self.models("mine", "--json", config=OWN, env={"OWN_KEY": harness.KEY})
        self.assertEqual(present.json()["models"][0]["key"], "present")

    def test_on_a_terminal_columns_that_do_not_fit_are_left_out(self):
        for width in 100, 60:
            shown = self.shown_at_width(["models", "--all"], width)
            lines = shown.splitlines()
            self.assertLessEqual(max(map(len, lines)), width)
            self.assertIn("MODEL", lines[0])
            self.assertIn("KEY", lines[0])
            self.assertNotIn("PRICED", lines[0])
            self.assertRegex(" ".join(shown.split()),
                             r"not shown: PRICED, .*names of missing keys; -v or a pipe shows all$")
        for all_of_it in (self.shown_at_width(["models", "--all", "-v"], 60),
                          self.shown_at_width(["models", "--all"], 250),
                          self.models("--all").text):
            self.assertIn("PRICED", all_of_it.splitlines()[0])
            self.assertNotIn("not shown", all_of_it)

    def test_names_of_keys_are_not_missed_where_no_key_is_missing(self):
        shown = self.shown_at_width(["models", "-c", self.home.write("own.toml", OWN)], 40,
                                    env={"OWN_KEY": harness.KEY})
        self.assertIn("not shown: ", shown)
        self.assertNotIn("missing", shown)

    def test_of_a_key_with_several_names_the_table_has_the_first(self):
        line, = (line for line in self.models("--all").text.splitlines()
                 if line.startswith("gemini-2.5-flash-lite "))
        self.assertRegex(line, r" GEMINI_API_KEY \(or 2 more\) is not set$")
        model, = self.models("gemini-2.5-flash-lite", "--json").json()["models"]
        self.assertIn("GEMINI_API_KEY or GOOGLE_API_KEY or ", model["problem"])

    def test_patterns_match_names_aliases_and_providers(self):
        self.assertEqual(self.names("my", config=OWN), ["mine"])
        self.assertEqual(sorted(self.names("own/*", config=OWN)),
                         ["mine", "unpriced"])
        self.assertEqual(self.names("haiku"), ["claude-haiku-5-5"])
        self.assertTrue(all(n.startswith("claude-opus") for n in
                            self.names("claude-opus-*")))

    def test_a_pattern_without_a_match_is_negative_and_suggests(self):
        result = self.models("sonet")
        self.assert_status(result, 1)
        self.assertIn("did you mean 'sonnet'?", result.err)

    def test_without_any_key_a_hint_says_what_to_do(self):
        result = self.models()
        self.assert_status(result, 0)
        self.assertEqual(result.out, b"")
        self.assertIn("OPENAI_API_KEY", result.err)
        self.assertIn("--all", result.err)

    def test_a_disabled_model_is_not_listed(self):
        names = self.names("--all", config="[models.gpt-5]\nenabled = false\n")
        self.assertNotIn("gpt-5", names)

    def test_no_key_is_read_or_printed(self):
        result = self.models("--all", "--json",
                             env={"OPENAI_API_KEY": harness.KEY})

    def test_a_full_disk_is_an_error(self):
        with open("/dev/full", "wb") as full:
            self.assert_status(self.models("--all", stdout=full), 74)


if __name__ == "__main__":
    unittest.main()
