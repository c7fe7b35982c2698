"""`llmroute train`: labelled rows to a router model file, a report and a card."""

import gzip
import json
import os
import pathlib
import random
import re
import unittest

import harness

WORDS = {
    "code": "python function compile class loop array bug variable".split(),
    "math": "integral prime proof triangle equation sum angle root".split(),
    "chat": "hello thanks morning friend weekend dinner mood smile".split(),
}
LEVEL = {"code": "medium", "math": "hard", "chat": "simple"}


def labelled(count, seed=1):
    """Rows whose words tell their domain."""
    chance = random.Random(seed)
    rows = []
    for i in range(count):
        domain = chance.choice(sorted(WORDS))
        words = [chance.choice(WORDS[domain]) for _ in range(8)]
        rows.append({"prompt": " ".join(words) + f" {i}", "domain": domain,
                     "difficulty": LEVEL[domain], "source": "made"})
    return rows


def outcomes(count, seed=1, noise=False):
    """Rows answered by two models; "prime" makes a prompt hard for the weak."""
    chance = random.Random(seed)
    rows = []
    for i in range(count):
        hard = chance.random() < 0.5
        words = [chance.choice(WORDS["chat"]) for _ in range(8)]
        words[3] = "prime" if hard else "smile"
        told = chance.random() < 0.5 if noise else hard
        rows.append({"prompt": " ".join(words) + f" {i}", "dataset": "made",
                     "scores": {"strong": float(chance.random() < 0.95),
                                "weak": float(chance.random() <
                                              (0.1 if told else 0.95))}})
    return rows


def lines(rows):
    return "".join(json.dumps(row) + "\n" for row in rows)

TWO_MODELS = """
[providers.p]
protocol = "openai-chat"
base_url = "http://127.0.0.1:1/v1"
[models.strong]
provider = "p"
price = { input = 3, output = 15 }
[models.weak]
provider = "p"
price = { input = 0.1, output = 0.4 }
"""


class Train(harness.TestCase):
    def train(self, *args, **options):
        return self.run_llmroute(["train", *args], timeout=120, **options)

    def rows_file(self, rows, name="rows.jsonl"):
        path = self.home.file(name)
        data = lines(rows).encode()
        pathlib.Path(path).write_bytes(
            gzip.compress(data) if str(name).endswith(".gz") else data)
        return str(path)

    def assert_domain(self, explained, domain):
        domains = explained.json()["analysis"]["domain"]
        self.assertEqual(max(domains, key=domains.get), domain)

    def test_I14_what_is_read_is_never_written_over(self):
        rows, model = self.rows_file(labelled(60)), self.home.file("my.model")
        before = pathlib.Path(rows).read_bytes()
        link = self.home.file("link.jsonl")
        os.symlink(rows, link)
        for args in (["-o", rows], ["-o", link], ["-o", model, "--card", rows],
                     ["-o", model, "--card", model]):
            self.assert_status(self.train(rows, "--force", *args), 73)
        self.assertEqual(pathlib.Path(rows).read_bytes(), before)
        self.assertFalse(os.path.exists(model))

    def test_a_model_is_written_and_used(self):
        rows, model = self.rows_file(labelled(900)), str(self.home.file("my.model"))
        result = self.train(rows, "-o", model)
        self.assert_status(result, 0)
        self.assertIn("held-out rows: accuracy", result.text)
        self.assertEqual(result.err, "")
        explained = self.run_llmroute(
            ["explain", "--json", "-p", "integral of a prime triangle"],
            config=f'model_file = "{model}"\n')
        self.assert_status(explained, 0)
        self.assert_domain(explained, "math")

    def test_json_reports_figures_beside_the_baselines(self):
        rows = self.rows_file(labelled(600) + outcomes(600))
        result = self.train(rows, "-o", str(self.home.file("m")), "--json")
        self.assert_status(result, 0)
        report = result.json()
        self.assertTrue(report["written"])
        self.assertTrue(report["beats_constant"])
        self.assertEqual(report["rows"]["train"] + report["rows"]["calibrate"] +
                         report["rows"]["test"], 1200)
        self.assertGreater(report["domains"]["accuracy"],
                           report["domains"]["commonest"])
        for name in ("model", "length", "constant"):
            self.assertIn("brier", report["outcomes"][name])
        self.assertLess(report["outcomes"]["model"]["brier"],
                        report["outcomes"]["constant"]["brier"])
        pair = report["pairs"][0]
        self.assertEqual((pair["strong"], pair["weak"]), ("strong", "weak"))
        self.assertGreater(pair["model"]["apgr"], pair["length"]["apgr"])

    def test_the_model_in_use_is_measured_with_its_own_abilities(self):
        config = self.home.file("two.toml")
        rows, model = self.rows_file(outcomes(900)), str(self.home.file("m"))
        args = ["-c", str(config), "--json", "--force", "-o", model, rows]
        # Nothing is known of these models.
        pathlib.Path(config).write_text("")
        told = self.train(*args).json()["outcomes"]
        self.assertEqual(told["installed_outcomes"], 0)
        self.assertNotIn("installed_brier", told)
        # Both abilities are; that all fail is a bad guess.
        brier = []
        for ability in (0, -9):
            pathlib.Path(config).write_text(
                TWO_MODELS.replace('provider = "p"', f'provider = "p"\nability = {ability}'))
            told = self.train(*args).json()["outcomes"]
            self.assertEqual(told["installed_outcomes"], told["count"])
            brier.append(told["installed_brier"])
        self.assertGreater(brier[1], brier[0] + 0.2)
        self.assertIn("brier_beside_installed", told)

    def test_rb_4_bench_refuses_rows_the_model_was_trained_on(self):
        rows, model = self.rows_file(outcomes(600)), str(self.home.file("m"))
        self.assert_status(self.train("--force", "-o", model, rows), 0)
        result = self.run_llmroute(["bench", "--model-file", model, rows])
        self.assert_status(result, 65)
        self.assertRegex(result.err, r"rows\.jsonl:\d+: the router model was trained "
                         r"on this prompt \(4\d\d such rows; --part test")
        held_out = self.run_llmroute(["bench", "--model-file", model, "--part", "test",
                                      rows])
        self.assert_status(held_out, 0)
        for change in (str.upper, lambda prompt: f"  {prompt}\n".replace(" ", "  ")):
            typed = self.rows_file([dict(row, prompt=change(row["prompt"]))
                                    for row in outcomes(600)], "typed.jsonl")
            self.assert_status(
                self.run_llmroute(["bench", "--model-file", model, typed]), 65)
        # Few of them, which may look so by chance, are left out and told.
        few = outcomes(3)[:2] + outcomes(2500, seed=7)
        known = self.run_llmroute(["bench", "--model-file", model, "--json",
                                   self.rows_file(few, "few.jsonl")])
        self.assert_status(known, 0)
        self.assertGreaterEqual(known.json()["trained_on"], 1)
        self.assertEqual(known.json()["trained_on"] + known.json()["studies"][0]["rows"],
                         len(few))
        # Trained on by the model that it started from.
        further = str(self.home.file("further"))
        more = self.rows_file(outcomes(600, seed=2), "more.jsonl")
        self.assert_status(self.train("--force", "--init", model, "-o", further, more), 0)
        result = self.run_llmroute(["bench", "--model-file", further, rows])
        self.assert_status(result, 65)
        # Heads fitted to the rows themselves do not ask the model.
        folds = self.run_llmroute(["bench", "--model-file", model, "--folds", "3", rows])
        self.assert_status(folds, 0)

    def test_rb_4_rows_with_a_context_are_known(self):
        with open(harness.SOURCE_DIR / "models/seeds.jsonl", encoding="utf-8") as file:
            rows = [row for row in map(json.loads, file)
                    if row.get("context") and not row.get("compose")]
        result = self.run_llmroute(["bench", "--no-config", self.rows_file(rows)])
        self.assert_status(result, 65)
        known = int(re.search(r"\((\d+) such rows", result.err)[1])
        self.assertGreater(known, 0.7 * len(rows))

    def test_rb_4_domains_are_not_measured_on_what_was_trained_on(self):
        rows, model = labelled(600), str(self.home.file("m"))
        file = self.rows_file(rows)
        self.assert_status(self.train("-o", model, file), 0)
        result = self.run_llmroute(["bench", "--model-file", model, file])
        self.assert_status(result, 65)
        self.assertRegex(result.err, r"rows\.jsonl:\d+: the router model was trained "
                         r"on this prompt \(4\d\d such rows; --part test")
        held_out = self.run_llmroute(["bench", "--model-file", model, "--part", "test",
                                      "--json", file])
        self.assert_status(held_out, 0)
        self.assertEqual(held_out.json()["domains"]["trained_on"], 0)
        # Heads that are fitted say nothing of domains: the model does.
        both = self.rows_file([dict(row, scores={"a": 1, "b": i % 2})
                               for i, row in enumerate(rows)], "both.jsonl")
        args = ["bench", "--model-file", model, "--folds", "3", both]
        domains = self.run_llmroute([*args, "--json"]).json()["domains"]
        self.assertEqual(domains["rows"] + domains["trained_on"], 600)
        self.assertGreater(domains["trained_on"], 400)
        self.assertRegex(self.run_llmroute(args).text, r"domains of \d+ rows, without "
                         r"4\d\d that the router model was trained on: accuracy")

    def test_heads_of_single_models(self):
        """Outcomes of a model correct what its abilities say of it."""
        config = self.home.file("two.toml")
        pathlib.Path(config).write_text(TWO_MODELS)
        rows = self.rows_file(outcomes(1500))
        chances = {}
        for name, extra in (("plain", []), ("own", ["--heads", "w*"])):
            model = str(self.home.file(name + ".model"))
            result = self.train("-c", str(config), "--force", *extra, "-o", model, rows)
            self.assert_status(result, 0)
            pathlib.Path(config).write_text(f'model_file = "{model}"\n' + TWO_MODELS)
            for kind in ("prime", "smile"):
                told = self.run_llmroute(
                    ["explain", "-c", str(config), "--json",
                     f"hello friend thanks {kind} weekend dinner mood morning"])
                self.assert_status(told, 0)
                for candidate in told.json()["candidates"]:
                    chances[name, candidate["model"], kind] = candidate["good"]
        gap = {name: chances[name, "weak", "smile"] - chances[name, "weak", "prime"]
               for name in ("plain", "own")}
        self.assertGreater(gap["own"], gap["plain"] + 0.1, chances)
        self.assertEqual(chances["own", "strong", "prime"],
                         chances["plain", "strong", "prime"])

    def test_start_from_the_built_in_model(self):
        """Few rows of one's own on top of what the built-in model knows."""
        model = str(self.home.file("started.model"))
        result = self.train("--force", "--init", "builtin", "-o", model,
                            self.rows_file(labelled(60)))
        self.assert_status(result, 0)
        config = self.home.file("started.toml")
        pathlib.Path(config).write_text(f'model_file = "{model}"\n' + TWO_MODELS)
        told = self.run_llmroute(["explain", "-c", str(config), "--json",
                                  "what is the capital of Denmark"])
        self.assert_status(told, 0)
        domain = told.json()["analysis"]["domain"]
        self.assertEqual(max(domain, key=domain.get), "knowledge")

    def test_heads_that_nothing_is_known_of(self):
        model = str(self.home.file("none.model"))
        result = self.train("--force", "--heads", "nobody", "-o", model,
                            self.rows_file(outcomes(600)))
        self.assert_status(result, 65)
        self.assertIn("--heads: no model matches 'nobody' with at least 50 outcomes in "
                      "the training part", result.err)
        self.assertFalse(os.path.exists(model))

    def test_sources_left_out(self):
        rows = labelled(600) + [dict(row, source="other") for row in labelled(300, 9)]
        model = str(self.home.file("part.model"))
        result = self.train("--json", "--without", "oth*", "-o", model,
                            self.rows_file(rows))
        self.assert_status(result, 0)
        told = result.json()["rows"]
        self.assertEqual(told["train"] + told["calibrate"] + told["test"], 600)

    def test_seed(self):
        """The same rows and seed give the same bytes, on any number of threads."""
        rows = self.rows_file(labelled(500))
        made = []
        for name, args in (("a", []), ("b", []), ("c", ["--threads", "3"]),
                           ("d", ["--seed", "7"])):
            path = self.home.file(name)
            self.assert_status(self.train(rows, "-o", str(path), *args), 0)
            made.append(pathlib.Path(path).read_bytes())
        self.assertEqual(made[0], made[1])
        self.assertEqual(made[0], made[2])
        self.assertNotEqual(made[0], made[3])

    def test_threads(self):
        rows = self.rows_file(labelled(300))
        result = self.train(rows, "-o", str(self.home.file("m")), "--threads", "0")
        self.assert_status(result, 64)

    def test_gzipped_rows_and_several_files(self):
        plain = self.rows_file(labelled(400, seed=1))
        packed = self.rows_file(labelled(400, seed=2), "more.jsonl.gz")
        result = self.train(plain, packed, "-o", str(self.home.file("m")), "--json")
        self.assert_status(result, 0)
        rows = result.json()["rows"]
        self.assertEqual(rows["train"] + rows["calibrate"] + rows["test"], 800)
        self.assertGreater(rows["copies"], 100)

    def test_card(self):
        rows = self.rows_file(labelled(600))
        sources = self.home.file("sources.tsv")
        pathlib.Path(sources).write_text("rows.jsonl\tCC0\tmade by this test\n")
        card = self.home.file("CARD.md")
        self.assert_status(self.train(rows, str(sources), "-o",
                                      str(self.home.file("m")), "--card",
                                      str(card)), 0)
        text = pathlib.Path(card).read_text()
        for part in ("rows.jsonl | 600 | CC0 | made by this test", "accuracy",
                     "llmroute train DATA/rows.jsonl", "SHA-256"):
            self.assertIn(part, text)
        self.assertNotIn(str(self.home.file("")), text)  # no path of this machine

        self.assertIn("It beats the best constant on the held-out rows", text)

    def test_a_card_says_nothing_of_rows_it_has_not(self):
        """What is said of this project's own rows is said where they are."""
        rows, card = self.rows_file(outcomes(300, noise=True)), self.home.file("CARD.md")
        args = ["--force", "--card", str(card), "-o", str(self.home.file("m"))]
        self.assert_status(self.train(rows, "--init", "builtin", "--without", "none",
                                      *args), 0)
        text = pathlib.Path(card).read_text()
        for part in ("this project", "seeds", "agentic prompts"):
            self.assertNotIn(part, text)
        self.assertIn("It started from the built-in model builtin-", text)
        self.assertIn("--init builtin --force --seed", text)
        self.assertIn("It does not pass the gate of `train`: P(good) is no better than",
                      text)
        self.assertIn("by `--force`", text)
        notes = self.home.write("notes.tsv", "rows.jsonl\tours\tthis project\n")
        other = self.rows_file(outcomes(100, seed=9), "other.jsonl")
        self.assert_status(self.train(rows, other, str(notes), "--without", "other:*",
                                      *args), 0)
        text = pathlib.Path(card).read_text()
        self.assertIn("Rows of this project's own", text)
        self.assertNotIn("It started from", text)
        self.assertIn("| other.jsonl | 0 |", text)

    def test_rb_4_copies_fall_into_one_part(self):
        """What was learned of a prompt is not praised on its copies."""
        rows = []
        for row in outcomes(60, noise=True):
            row["scores"] = {"strong": row["scores"]["strong"],
                             "weak": float(len(rows) // 16 * 7919 % 3 % 2)}
            rows += [dict(row, prompt=("  " * copy).join(row["prompt"].split(" "))
                          if copy % 2 else row["prompt"].upper() + "\n" * copy)
                     for copy in range(1, 17)]
        model = pathlib.Path(self.home.file("m"))
        result = self.train("--heads", "*", self.rows_file(rows), "-o", str(model))
        self.assert_status(result, 1)
        self.assertFalse(model.exists())

    def test_rb_4_copies_without_the_key_fall_into_the_part(self):
        rows = []
        for n, row in enumerate(outcomes(60, noise=True)):
            row["scores"] = {"strong": row["scores"]["strong"],
                             "weak": float(n * 7919 % 3 % 2)}
            rows += [dict(row, **({"paraphrase": f"q{copy} of {n}"} if copy else {}))
                     for copy in range(16)]
        model = pathlib.Path(self.home.file("m"))
        result = self.train("--heads", "*", self.rows_file(rows), "-o", str(model),
                            "--json")
        self.assert_status(result, 1)
        self.assertEqual(result.json()["rows"]["test"] % 16, 0)

    def test_length_counts_the_context(self):
        """The baseline that a router has to beat sees what the router sees."""
        rows = outcomes(600, noise=True)
        for i, row in enumerate(rows):
            long = i * 7919 % 2
            row["context"] = "word " * (200 if long else 3)
            row["scores"] = {"strong": 1.0, "weak": 0.0 if long else 1.0}
        report = self.train("--heads", "*", self.rows_file(rows), "--json", "-o",
                            str(self.home.file("m"))).json()
        self.assertLess(report["outcomes"]["length"]["brier"], 0.1)

    def test_what_is_too_little_is_told(self):
        rows = self.rows_file(outcomes(300))
        result = self.train(rows, "--without", "made", "-o", str(self.home.file("m")))
        self.assert_status(result, 65)
        self.assertIn("--without leaves none of 300 rows", result.err)

    def test_force(self):
        """What beats no constant is written only if insisted on."""
        rows = self.rows_file(outcomes(400, noise=True))
        model = pathlib.Path(self.home.file("m"))
        result = self.train(rows, "-o", str(model), "--json")
        if result.status == 0:
            self.skipTest("chance made the noise look learnable")
        self.assert_status(result, 1)
        self.assertFalse(result.json()["written"])
        self.assertIn("was not written", result.err)
        self.assertFalse(model.exists())
        self.assert_status(self.train(rows, "-o", str(model), "--force"), 0)
        self.assertTrue(model.exists())

    def test_rows_of_one_domain_are_no_obstacle(self):
        """Nothing is better than the constant there."""
        rows = [dict(row, domain="chat") for row in outcomes(600)]
        result = self.train(self.rows_file(rows), "--json", "-o",
                            str(self.home.file("m")))
        self.assert_status(result, 0)
        self.assertEqual(result.json()["domains"]["commonest"], 1)
        alone = [{"prompt": row["prompt"], "domain": "chat"} for row in rows]
        result = self.train(self.rows_file(alone), "-o", str(self.home.file("n")))
        self.assert_status(result, 1)
        self.assertIn("n' was not written: nothing was held out that tells it",
                      result.err)

    def test_the_gate_names_the_way_for_models_of_one_ability(self):
        """Of models configured by name alone one difficulty tells nothing."""
        config = self.home.file("two.toml")
        pathlib.Path(config).write_text(TWO_MODELS)
        args = ["-c", str(config), "-o", str(self.home.file("m")),
                self.rows_file(outcomes(900))]
        result = self.train(*args)
        self.assert_status(result, 1)
        self.assertIn("P(good) is no better than the best constant", result.err)
        self.assertIn("--heads '*'", result.err)
        self.assert_status(self.train("--heads", "*", *args), 0)

    def test_a_model_that_is_no_better_leaves_the_old_one(self):
        rows = self.rows_file(outcomes(400, noise=True))
        model = pathlib.Path(self.home.file("m"))
        model.write_bytes(b"old")
        if self.train(rows, "-o", str(model)).status == 1:
            self.assertEqual(model.read_bytes(), b"old")

    def test_init(self):
        """Training goes on from another model and keeps what it knew."""
        first, second = self.home.file("first"), self.home.file("second")
        rows = self.rows_file(labelled(900))
        self.assert_status(self.train(rows, "-o", str(first)), 0)
        few = self.rows_file(outcomes(400), "few.jsonl")
        result = self.train(few, "--init", str(first), "-o", str(second), "--force",
                            "--json")
        self.assert_status(result, 0)
        explained = self.run_llmroute(
            ["explain", "--json", "-p", "integral of a prime triangle"],
            config=f'model_file = "{second}"\n')
        self.assert_status(explained, 0)
        self.assert_domain(explained, "math")

    def test_rb_4_what_init_was_trained_on_is_not_held_out(self):
        """Whatever part the rows would be of now: here a key moves them."""
        first, second = str(self.home.file("first")), str(self.home.file("second"))
        rows = outcomes(600)
        before = self.train("--force", "--json", "-o", first, self.rows_file(rows))
        self.assert_status(before, 0)
        known = before.json()["rows"]["train"]
        self.assertEqual(before.json()["rows"]["trained_before"], 0)
        keyed = self.rows_file([dict(row, paraphrase=f"key {n}")
                                for n, row in enumerate(rows)], "keyed.jsonl")
        args = ["--force", "--init", first, "-o", second]
        told = self.train(*args, "--json", keyed).json()["rows"]
        self.assertEqual(told["trained_before"], known)
        self.assertGreaterEqual(told["train"], known)
        self.assertTrue(0 < told["test"] < 30, told)
        self.assertIn(f"was trained on {known} of the rows; none of them is held out",
                      self.train(*args, keyed).text)
        # A paraphrase of what it was trained on is not held out either.
        one = self.rows_file([dict(row, paraphrase="one") for row in rows], "one.jsonl")
        result = self.train(*args, one)
        self.assert_status(result, 65)
        self.assertIn(f"600 to learn from ({known} of which the model of --init was "
                      "trained on), 0 to test with", result.err)

    def test_init_that_is_no_model(self):
        rows, bad = self.rows_file(labelled(300)), self.home.file("bad")
        pathlib.Path(bad).write_bytes(b"nothing")
        os.chmod(bad, 0o600)
        result = self.train(rows, "--init", str(bad), "-o", str(self.home.file("m")))
        self.assert_status(result, 78)

    def test_bad_rows_name_file_and_line(self):
        path = pathlib.Path(self.home.file("rows.jsonl"))
        for bad, reason in (('{"prompt": 7}', "prompt"), ("{", "JSON"),
                            ('{"prompt":"x","scores":{"m":2}}', "score")):
            path.write_text(lines(labelled(5)) + bad + "\n")
            result = self.train(str(path), "-o", str(self.home.file("m")))
            self.assert_status(result, 65)
            self.assertIn("rows.jsonl:6", result.err)
            self.assertIn(reason, result.err)

    def test_truncated_gzip(self):
        path = pathlib.Path(self.rows_file(labelled(2000), "rows.jsonl.gz"))
        path.write_bytes(path.read_bytes()[:-200])
        result = self.train(str(path), "-o", str(self.home.file("m")))
        self.assert_status(result, 65)

    def test_a_dash_is_standard_input_and_output(self):
        rows, model = lines(labelled(600)).encode(), self.home.file("m")
        self.assert_status(self.train("-", "-o", str(model), stdin=rows), 0)
        printed = self.train("-", "-o", "-", stdin=rows)
        self.assert_status(printed, 0)
        self.assertEqual(printed.out, pathlib.Path(model).read_bytes())
        self.assertIn("held-out rows: accuracy", printed.err)
        card = self.train("-", "-o", str(model), "--card", "-", stdin=rows)
        self.assertTrue(card.text.startswith("# Router model m\n"))
        self.assertIn("| stdin | 600 |", card.text)
        self.assertIn("llmroute train - --seed", card.text)
        quiet = self.train("-", "-q", "-o", "-", stdin=rows)
        self.assertEqual((quiet.out, quiet.err), (printed.out, ""))
        self.assert_status(self.train("-", "-o", "-", "--card", "-", stdin=rows), 73)
        self.assert_status(self.train("-", "-", "-o", "-", stdin=rows), 64)
        self.assertFalse(os.path.exists("-"))

    def test_a_wide_table_is_trained_on(self):
        table = "prompt,strong,weak\n" + "".join(
            f"{row['prompt']},{row['scores']['strong']},{row['scores']['weak']}\n"
            for row in outcomes(600))
        path = self.home.write("table.csv", table)
        result = self.train("--json", "-o", str(self.home.file("m")), path)
        self.assert_status(result, 0)
        self.assertEqual(result.json()["models"], 2)

    def test_too_few_rows(self):
        result = self.train(self.rows_file(labelled(2)), "-o",
                            str(self.home.file("m")))
        self.assert_status(result, 65)

    def test_missing_file(self):
        result = self.train(str(self.home.file("none")), "-o",
                            str(self.home.file("m")))
        self.assert_status(result, 66)

    def test_nothing_to_do(self):
        self.assert_status(self.train("-o", str(self.home.file("m"))), 64)
        self.assert_status(self.train(self.rows_file(labelled(300))), 64)

    def test_output_that_cannot_be_created(self):
        result = self.train(self.rows_file(labelled(600)), "-o",
                            "/nonexistent/folder/m")
        self.assert_status(result, 73)


if __name__ == "__main__":
    unittest.main()
