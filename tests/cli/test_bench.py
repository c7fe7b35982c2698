"""`llmroute bench`: speed of this build; quality on files of outcomes."""

import csv
import gzip
import io
import json
import textwrap
import os
import pathlib
import random
import re
import signal
import string
import unittest
import xml.etree.ElementTree

import harness


class Speed(harness.TestCase):
    def test_figures_for_people(self):
        result = self.run_llmroute(["bench", "--seconds", "0.1"])
        self.assert_status(result, 0)
        for part in ("analysis", "decision", "p99", "start of the program"):
            self.assertIn(part, result.text)

    def test_seconds(self):
        short = self.run_llmroute(["bench", "--seconds", "0.05", "--json"]).json()
        long = self.run_llmroute(["bench", "--seconds", "0.5", "--json"]).json()
        self.assertGreater(long["timings"][0]["calls"],
                           short["timings"][0]["calls"])

    def test_speed(self):
        path = pathlib.Path(self.home.file("lines.txt"))
        path.write_text("one two three\n" + "word " * 40 + "\n")
        report = self.run_llmroute(
            ["bench", "--seconds", "0.05", "--json", "--speed", str(path)]).json()
        self.assertEqual([(t["what"], t["bytes"]) for t in report["timings"]],
                         [("analysis", (13 + 200) // 2)])
        path.write_text("")
        self.assert_status(self.run_llmroute(["bench", "--speed", str(path)]), 66)

    def test_figures_for_programs(self):
        result = self.run_llmroute(["bench", "--seconds", "0.1", "--json"])
        self.assert_status(result, 0)
        report = result.json()
        self.assertEqual([t["what"] for t in report["timings"]],
                         ["analysis", "analysis, long", "decision"])
        for timing in report["timings"]:
            self.assertGreater(timing["calls"], 0)
            self.assertGreater(timing["p50_ns"], 0)
            self.assertLessEqual(timing["p50_ns"], timing["p99_ns"])
        self.assertEqual(report["timings"][1]["bytes"], 20000)
        self.assertGreater(report["timings"][2]["models"], 1)
        self.assertGreater(report["start"]["program_ms"], 0)


def by_name(items, key="name"):
    return {item[key]: item for item in items}


class FilesCase(harness.TestCase):
    def write_rows(self, rows, name="outcomes.jsonl"):
        path = pathlib.Path(self.home.file(name))
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return str(path)

    def bench(self, rows, *args, **options):
        return self.run_llmroute(["bench", self.write_rows(rows), *args], **options)

    def report(self, rows, *args, **options):
        result = self.bench(rows, "--json", *args, **options)
        self.assert_status(result, 0)
        return result.json()


def by_length_rows():
    """Eight prompts, each longer than the one before: by length, the four that
    need the strong model come first."""
    return [{"prompt": "word " * (i + 1), "dataset": "d" if i % 2 else "e",
             "scores": {"s": 1, "w": 0 if i >= 4 else 1}} for i in range(8)]


def pool_rows(n=40, models=("big", "small"), costs=(4, 1)):
    """Every fourth prompt is one that only the first model answers."""
    return [{"prompt": f"question {i} " + "hard " * (10 if i % 4 == 0 else 1),
             "domain": "math", "dataset": f"g{i % 3}",
             "scores": {models[0]: 1, models[1]: 0 if i % 4 == 0 else 1},
             "cost": {models[0]: costs[0], models[1]: costs[1]}}
            for i in range(n)]


class Status(FilesCase):
    def test_G12_SIGUSR1_prints_one_status_line(self):
        path = self.home.file("rows")
        os.mkfifo(path)
        process = self.spawn_llmroute(["bench", path])
        with open(path, "w", encoding="utf-8") as rows:  # waits for the reader
            rows.write("".join(json.dumps(row) + "\n" for row in pool_rows()))
            rows.flush()
            process.send_signal(signal.SIGUSR1)
            line = process.stderr.readline().decode()
        self.assertRegex(line, rf"^llmroute: reading {path}(, \d+ rows)?, \d\.\d s$")
        self.assertIn("40 prompts", process.stdout.read().decode())
        self.assertEqual(process.wait(), 0)
        self.assertEqual(process.stderr.read(), b"")


class Pair(FilesCase):
    def test_a_pair_is_measured_beside_length_oracle_and_random(self):
        study = self.report(by_length_rows())["studies"][0]
        pair = study["pair"]
        self.assertEqual((pair["strong"], pair["weak"], pair["rows"]),
                         ("s", "w", 8))
        self.assertEqual(pair["strong_mean"], 1)
        self.assertEqual(pair["weak_mean"], 0.5)
        scorers = by_name(pair["scorers"])
        # Quality rises from .5 to 1 over the first half of the calls and stays:
        # area .875, less .5, over .5.
        for name in ("length only", "oracle"):
            fine = scorers[name]["fine"]
            self.assertAlmostEqual(fine["apgr"], 0.75)
            self.assertAlmostEqual(fine["cpt50"], 25)
            self.assertAlmostEqual(fine["saved_calls_100"], 50)
            self.assertAlmostEqual(fine["random_saved_calls_95"], 10)
            self.assertAlmostEqual(fine["peak_quality_pct_of_strong"], 100)
            for figure, (low, high) in scorers[name]["intervals"].items():
                self.assertLessEqual(low, fine[figure] + 1e-9)
                self.assertGreaterEqual(high, fine[figure] - 1e-9)
        self.assertIn("llmroute", scorers)
        self.assertAlmostEqual(scorers["random"]["fine"]["apgr"], 0.5)
        self.assertAlmostEqual(scorers["random"]["fine"]["cpt80"], 80)
        self.assertIn("apgr_paper_sum", scorers["oracle"]["routellm"])
        self.assertIsNone(study["pool"])
        self.assertEqual(study["costs"], "none")

    def test_datasets_and_domains_have_rows_of_their_own(self):
        rows = by_length_rows()
        study = self.report(rows)["studies"][0]
        self.assertEqual({s["name"]: s["rows"] for s in study["datasets"]},
                         {"d": 4, "e": 4})
        self.assertEqual([s["name"] for s in study["domains"]], ["none"])
        self.assertAlmostEqual(study["datasets"][0]["apgr"]["value"], 0.75, 1)

    def test_text(self):
        rows = [{"prompt": f"question {i}", "domain": "math",
                 "scores": {"s": 1, "w": i % 2}} for i in range(20)]
        result = self.bench(rows)
        self.assert_status(result, 0)
        for part in ("s (1.000) over w (0.500)", "length only", "oracle",
                     "random", "no gain: use s", "domains of 20 rows"):
            self.assertIn(part, result.text)
        self.assertNotIn("\x1b", result.text)
        self.assertLessEqual(max(map(len, result.text.splitlines())), 100)

    def test_the_same_seed_gives_the_same_intervals(self):
        rows = by_length_rows()
        first, again = self.report(rows), self.report(rows, "--seed", "1")
        other = self.report(rows, "--seed", "2")
        def interval(report):
            return report["studies"][0]["pair"]["scorers"][0]["intervals"]
        self.assertEqual(interval(first), interval(again))
        self.assertNotEqual(interval(first), interval(other))

    def test_models_are_chosen_by_name_or_glob(self):
        rows = [{"prompt": f"q {i}", "scores":
                 {"a-1": 1, "a-2": i % 2, "b": 0.25}} for i in range(12)]
        study = self.report(rows, "--models", "a-*")["studies"][0]
        self.assertEqual(study["models"], ["a-1", "a-2"])
        study = self.report(rows, "--models", "b,a-2")["studies"][0]
        self.assertEqual((study["pair"]["strong"], study["pair"]["weak"]),
                         ("a-2", "b"))
        one = self.bench([dict(row, domain="math") for row in rows], "--models", "a-1")
        self.assert_status(one, 64)
        self.assertIn("--models: of the files' models only 'a-1' matches", one.err)
        self.assertEqual(len(one.err.splitlines()), 1)
        result = self.bench(rows, "--models", "a-3")
        self.assert_status(result, 64)
        self.assertIn("did you mean 'a-", result.err)

    def test_files_of_the_same_models_are_measured_together(self):
        one = self.write_rows(by_length_rows(), "one.jsonl")
        two = self.write_rows(by_length_rows(), "two.jsonl")
        other = self.write_rows([{"prompt": "x", "scores": {"u": 1, "v": 0}}],
                                "other.jsonl")
        result = self.run_llmroute(["bench", "--json", one, two, other])
        self.assert_status(result, 0)
        self.assertEqual([(s["name"], s["rows"]) for s in result.json()["studies"]],
                         [("one and 1 more", 16), ("other", 1)])

    def test_the_test_part_is_what_training_holds_out(self):
        rows = [{"prompt": f"question {i}", "scores": {"s": 1, "w": i % 2}}
                for i in range(400)]
        everything = self.report(rows, "--part", "all")["studies"][0]["rows"]
        held_out = self.report(rows, "--part", "test")["studies"][0]["rows"]
        self.assertEqual(everything, 400)
        self.assertTrue(20 < held_out < 65, held_out)

    def test_suspect_rows_and_preferences_are_left_out(self):
        rows = by_length_rows()
        rows.append({"prompt": "x", "scores": {"s": 0, "w": 1}, "suspect": True})
        rows.append({"prompt": "y", "scores": {"s": 0, "w": 1}, "h2h": {}})
        self.assertEqual(self.report(rows)["studies"][0]["rows"], 8)

    def test_rows_that_compare_nothing(self):
        self.assert_status(self.bench([{"prompt": "x"}]), 65)

    def test_a_dash_is_standard_input(self):
        rows = "".join(json.dumps(row) + "\n" for row in by_length_rows()).encode()
        table = WideTable.TABLE.encode()
        for text, count in ((rows, 8), (gzip.compress(rows), 8), (b"\xef\xbb\xbf" + rows, 8),
                            (table, 12), (gzip.compress(table), 12)):
            result = self.run_llmroute(["bench", "--json", "-"], stdin=text)
            self.assert_status(result, 0)
            study = result.json()["studies"][0]
            self.assertEqual(study["name"], "stdin")
            self.assertEqual(study["rows"], count)
        bad = self.run_llmroute(["bench", "-"], stdin=rows + b"{\n")
        self.assert_status(bad, 65)
        self.assertIn("stdin:9: not a JSON object", bad.err)
        twice = self.run_llmroute(["bench", "-", "--train", "-"], stdin=rows)
        self.assert_status(twice, 64)
        self.assertIn("'-' is named twice", twice.err)
        robust = self.run_llmroute(["bench", "-", "--robust"], stdin=rows)
        self.assert_status(robust, 64)
        self.assertIn("--robust reads '-' twice", robust.err)
        plot = self.run_llmroute(["bench", "-", "--plot", "-"], stdin=rows)
        self.assert_status(plot, 0)
        self.assertTrue(plot.text.startswith("<svg"))
        self.assertIn("length only", plot.err)

    def test_a_table_is_known_by_its_begin_where_the_name_says_nothing(self):
        path = self.home.write("table", WideTable.TABLE)
        self.assertEqual(self.run_llmroute(["bench", "--json", path]).json()
                         ["studies"][0]["rows"], 12)

    def test_a_directory_is_no_file_of_rows(self):
        folder = str(self.home.file(""))
        result = self.run_llmroute(["bench", folder])
        self.assert_status(result, 66)
        self.assertIn("is a directory; name the files in it", result.err)
        self.assertEqual(len(result.err.splitlines()), 1)

    def test_odd_rows_are_named_and_not_passed_over(self):
        row = {"prompt": "x", "scores": {"m": 1, "n": 0}}
        for odd, reason in (({"scores": [1, 0]}, '"scores" is not an object of model names'),
                            ({"scores": {"m": [1]}}, "score of 'm'"),
                            ({"cost": "0.1"}, '"cost" is not an object of model names'),
                            ({"suspect": "yes"}, '"suspect" is not true or false')):
            result = self.bench([row, dict(row, **odd)])
            self.assert_status(result, 65)
            self.assertIn("outcomes.jsonl:2: " + reason, result.err)
        path = self.home.write("twice.jsonl", '{"prompt":"x","scores":{"m":1,"m":0}}\n')
        result = self.run_llmroute(["bench", path])
        self.assert_status(result, 65)
        self.assertIn("twice.jsonl:1: score of 'm' is given twice", result.err)

    def test_what_follows_a_gzip_stream_is_not_passed_over(self):
        packed = gzip.compress("".join(json.dumps(row) + "\n"
                                       for row in by_length_rows()).encode())
        path = self.home.write("rows.jsonl.gz", packed + packed)
        self.assertEqual(self.run_llmroute(["bench", "--json", path]).json()
                         ["studies"][0]["rows"], 16)
        path = self.home.write("rows.jsonl.gz", packed + b'{"prompt":"y"}\n')
        result = self.run_llmroute(["bench", path])
        self.assert_status(result, 65)
        self.assertIn("rows.jsonl.gz: after line 8: bytes that are not gzipped follow",
                      result.err)

    def test_bad_row(self):
        result = self.bench([{"prompt": "x", "scores": {"m": 3}}])
        self.assert_status(result, 65)
        self.assertIn("outcomes.jsonl:1", result.err)

    def test_model_file(self):
        result = self.bench(by_length_rows(), "--model-file", "missing.model")
        self.assertNotEqual(result.status, 0)
        self.assertIn("missing.model", result.err)
        default = harness.SOURCE_DIR / "models/default.model"
        copy = self.home.write("mine.model", default.read_bytes(), 0o600)
        report = self.report(by_length_rows(), "--model-file", copy)
        self.assertIn("mine.model", report["router_model"]["id"])


class Pool(FilesCase):
    CONFIG = "".join(harness.model(name, provider="openai", id=name, ability=ability,
                                   price={"input": 1.0, "output": 2.0})
                     for name, ability in (("big", 2.0), ("small", -1.0)))

    def test_rb_2_sweep_hull_and_aiq(self):
        pool = self.report(pool_rows(), config=self.CONFIG)["studies"][0]["pool"]
        routers = by_name(pool["routers"])
        self.assertEqual(list(routers),
                         ["llmroute", "zero router", "length only", "oracle"])
        # Constants (1, .75) and (4, 1): 3 * .875 / 4.
        self.assertAlmostEqual(routers["zero router"]["aiq"]["value"], 0.65625)
        self.assertAlmostEqual(routers["zero router"]["aiq_by_range"], 0.875)
        # The oracle reaches quality 1 for a quarter of the dear calls.
        oracle = routers["oracle"]
        self.assertAlmostEqual(oracle["hull"][-1]["cost_usd"], 1.75)
        self.assertAlmostEqual(oracle["aiq"]["value"],
                               (0.75 * 0.875 + 2.25) / 4)
        self.assertAlmostEqual(oracle["cost_saved_100"]["value"], 56.25)
        costs = [p["cost_usd"] for p in routers["llmroute"]["hull"]]
        self.assertEqual(costs, sorted(costs))
        self.assertGreaterEqual(len(routers["llmroute"]["points"]), 40)

    def test_rb_3_baselines(self):
        report = self.report(pool_rows(), config=self.CONFIG)
        pool = report["studies"][0]["pool"]
        constants = by_name(pool["constants"], "model")
        self.assertAlmostEqual(constants["big"]["quality"], 1)
        self.assertAlmostEqual(constants["small"]["quality"], 0.75)
        self.assertEqual(pool["best_constant"], "big")
        self.assertAlmostEqual(pool["random"]["cost_usd"], 2.5)
        self.assertAlmostEqual(pool["random"]["quality"], 0.875)
        for oracle in ("cheapest_sufficient_oracle", "best_quality_oracle"):
            self.assertAlmostEqual(pool[oracle]["cost_usd"], 1.75)
            self.assertAlmostEqual(pool[oracle]["quality"], 1)
        speed = report["speed"]
        self.assertLessEqual(speed["p50_ns"], speed["p99_ns"])
        self.assertTrue(0 < speed["analysis_p50_ns"] < speed["p50_ns"], speed)
        self.assertAlmostEqual(by_name(report["figures"])["decision_us"]["value"],
                               speed["p50_ns"] / 1000, 3)
        heads = by_name(report["studies"][0]["probabilities"], "model")
        self.assertEqual(set(heads), {"big", "small", "all"})
        self.assertTrue(0 <= heads["all"]["brier"] <= 1)

    def test_the_verdict_is_broken_to_one_width(self):
        def broken(size):
            a, b = "a" * size, "b" * 20
            return (a, b), textwrap.wrap(
                f"no gain: use {a} (the router knows fewer than two of the models: neither "
                f"configured nor with a head in the router model are {a}, {b})", 100,
                initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)
        models, wanted = next(one for one in map(broken, range(10, 60))
                              if len(one[1]) == 2 and len(one[1][1]) > 98)
        result = self.bench(pool_rows(models=models))
        self.assert_status(result, 0)
        self.assertIn("\n" + "\n".join(wanted) + "\n", result.text)

    def test_rb_6_verdict(self):
        # What is long is hard: routing by the analyzer finds it.
        study = self.report(pool_rows(), config=self.CONFIG)["studies"][0]
        self.assertRegex(study["verdict"], "^routing saves .* best constant .big")
        # Nothing in the prompt tells.
        rows = [dict(row, prompt=f"question {i}")
                for i, row in enumerate(pool_rows(200))]
        study = self.report(rows, config=self.CONFIG)["studies"][0]
        self.assertEqual(study["verdict"], "no gain: use big")
        # Nothing is known of these models: routing them is not measured.
        study = self.report(pool_rows(models=("x1", "x2")))["studies"][0]
        self.assertEqual(study["verdict"],
                         "no gain: use x1 (the router knows fewer than two of the "
                         "models: neither configured nor with a head in the router "
                         "model are x1, x2)")
        # Each model has prompts that only it can answer.
        rows = [{"prompt": f"say hi {i}" if i % 5 < 2 else
                 f"prove theorem {i} rigorously: " + "x = y " * 40,
                 "scores": {"big": i % 5 > 1, "small": i % 5 < 2},
                 "cost": {"big": 4, "small": 1}} for i in range(100)]
        for row in rows:
            row["scores"] = {m: int(s) for m, s in row["scores"].items()}
        result = self.bench(rows, config=self.CONFIG)
        self.assertRegex(result.text.splitlines()[1],
                         "routing gains 0.[0-9]+ \u00b1 0.[0-9]+ over the best "
                         "constant at equal cost")

    def test_the_test_part_has_a_pool_like_all_rows(self):
        """What is fitted to other folds has other folds to be fitted to."""
        rows = pool_rows(600)
        for extra in ([], ["--folds", "3"]):
            with self.subTest(extra):
                study = self.report(rows, "--part", "test", *extra,
                                    config=self.CONFIG)["studies"][0]
                routers = by_name(study["pool"]["routers"])
                cheapest = min(study["pool"]["constants"], key=lambda c: c["cost_usd"])
                largest = study["pool"]["largest_cost_usd"]
                constant = cheapest["quality"] * (1 - cheapest["cost_usd"] / largest)
                for name in ("llmroute", "length only"):
                    self.assertGreaterEqual(routers[name]["aiq"]["value"],
                                            constant - 1e-9)
                self.assertRegex(study["verdict"], "^routing saves")

    def test_heads_of_a_model_file_stand_for_models_not_configured(self):
        rows, model = pool_rows(800), str(self.home.file("mine.model"))
        for row in rows:
            del row["domain"]
        trained = self.run_llmroute(
            ["train", "--init", "builtin", "--heads", "big,small", "-o", model,
             self.write_rows(rows)], timeout=120)
        self.assert_status(trained, 0)
        report = self.report(rows, "--part", "test", "--model-file", model)
        study = report["studies"][0]
        copies = rows + [row | {"prompt": f" {row['prompt'].upper()}"} for row in rows]
        twice = self.report(copies, "--part", "test", "--model-file", model)
        # Copies are in the part of what they are copies of.
        self.assertEqual(twice["studies"][0]["rows"], 2 * study["rows"])
        self.assertEqual(study["pool"]["known_models"], 2)
        heads = by_name(study["probabilities"], "model")
        self.assertLess(heads["small"]["brier"], 0.1)
        self.assertLess(heads["big"]["brier"], 0.05)
        self.assertRegex(study["verdict"], "^routing saves .* best constant .big")

    def test_a_pool_of_one_prompt_is_not_measured(self):
        rows = [dict(pool_rows(1)[0]) for _ in range(20)]
        study = self.report(rows, config=self.CONFIG)["studies"][0]
        self.assertIsNone(study["pool"])

    def test_a_best_model_that_is_free(self):
        study = self.report(pool_rows(costs=(0, 1)), config=self.CONFIG)["studies"][0]
        zero = by_name(study["pool"]["routers"])["zero router"]
        self.assertIsNone(zero["cost_saved_95"]["value"])
        self.assertEqual(study["verdict"], "no gain: use big")

    def test_costs_are_estimated_from_prices(self):
        rows = pool_rows()
        for row in rows:
            del row["cost"]
        study = self.report(rows, config=self.CONFIG)["studies"][0]
        self.assertEqual(study["costs"], "prices")
        self.assertGreater(study["pool"]["largest_cost_usd"], 0)

    def test_text_of_a_pool(self):
        text = self.bench(pool_rows(), config=self.CONFIG).text
        for part in ("AIQ", "zero router", "cheapest-sufficient oracle",
                     "$ per 1,000", "Brier"):
            self.assertIn(part, text)


class Fitted(FilesCase):
    """Heads fitted to the rows of each split. Prompts that name a tricky thing
    need the strong model."""

    WORDS = ["apple", "river", "stone", "cloud", "paper", "candle", "window"]

    def rows(self, n=300, offset=0, groups=6):
        rows = []
        for i in range(offset, offset + n):
            tricky = (i * 7919) % 5 < 2
            words = " ".join(self.WORDS[(i * k + k) % 7] for k in range(1, 6))
            kind = "prove the theorem rigorously" if tricky else "say the word"
            rows.append({"prompt": f"{kind} {words} {i}", "dataset": f"g{i % groups}",
                         "scores": {"s": 1, "w": 0 if tricky else 1},
                         "cost": {"s": 4, "w": 1}})
        return rows

    def apgr(self, report):
        return by_name(report["figures"])["apgr"]["value"]

    def test_rb_4_folds(self):
        rows = self.rows()
        report = self.report(rows, "--folds", "5")
        study = report["studies"][0]
        self.assertEqual(study["router"], "fitted in 5 folds by prompt")
        self.assertEqual(study["pair"]["scored_by"], "probabilities")
        # Quality .6 to 1 over two fifths of the calls: the oracle's .8.
        self.assertGreater(self.apgr(report), 0.75)
        self.assertEqual(study["pool"]["known_models"], 2)
        self.assertRegex(study["verdict"], "^routing (gains|saves)")
        self.assertLess(by_name(report["figures"])["brier"]["value"], 0.1)

    def test_rb_4_copies_of_a_prompt_fall_into_one_fold(self):
        # What only the row itself could tell is not learned from its copy.
        rows = [{"prompt": f"item {i // 2}", "scores":
                 {"s": 1, "w": (i // 2 * 7919) % 3 % 2}} for i in range(300)]
        self.assertLess(self.apgr(self.report(rows, "--folds", "3")), 0.65)

    def assert_nothing_is_told(self, second, first=lambda text: {}):
        """Prompts of chance words, each twice: only a copy could tell of one."""
        chance = random.Random(6)
        words = ["".join(chance.choices(string.ascii_lowercase, k=6))
                 for _ in range(3000)]
        rows = []
        for _ in range(400):
            text = " ".join(chance.choices(words, k=12))
            scores = {"s": float(chance.random() < 0.7), "w": float(chance.random() < 0.4)}
            rows += [{"prompt": text, **kind(text), "scores": scores}
                     for kind in (first, second)]
        self.assertLess(self.apgr(self.report(rows, "--folds", "5")), 0.57)

    def test_rb_4_a_copy_without_the_key_is_of_the_fold(self):
        self.assert_nothing_is_told(lambda text: {"paraphrase": "as " + text})

    def test_rb_4_a_copy_under_another_key_is_of_the_fold(self):
        self.assert_nothing_is_told(lambda text: {"paraphrase": "as " + text},
                                    lambda text: {"paraphrase": "of " + text})

    def test_rb_4_a_key_that_is_the_wording_of_the_original(self):
        self.assert_nothing_is_told(
            lambda text: {"prompt": "please " + text, "paraphrase": text.upper()})

    def test_rb_4_a_key_in_another_case_is_the_same(self):
        self.assert_nothing_is_told(
            lambda text: {"prompt": "please " + text, "paraphrase": f"AS  {text}\n"},
            lambda text: {"paraphrase": "as " + text})

    def test_rb_4_a_context_of_blanks_makes_no_other_prompt(self):
        self.assert_nothing_is_told(lambda text: {"context": " \n"})

    def test_rb_4_groups(self):
        report = self.report(self.rows(), "--groups")
        self.assertEqual(report["studies"][0]["router"],
                         "fitted without the groups it is measured on, 6 groups "
                         "in 5 folds")
        self.assertGreater(self.apgr(report), 0.75)
        report = self.report(self.rows(), "--groups", "--folds", "3")
        self.assertIn("in 3 folds", report["studies"][0]["router"])
        one = self.bench(self.rows(groups=1), "--groups")
        self.assert_status(one, 65)
        self.assertIn("two groups", one.err)

    def test_models_whose_outcomes_are_not_fitted_to(self):
        chance = random.Random(5)
        rows = []
        for i in range(400):
            hard = chance.random() < 0.5
            word = "theorem" if hard else "hello"
            rows.append({"prompt": f"{word} number {i} of all", "scores": {
                name: float(chance.random() < (bad if hard else good))
                for name, good, bad in (("a", 0.95, 0.9), ("b", 0.9, 0.2),
                                        ("c", 0.9, 0.4), ("d", 0.8, 0.3))}})
        pair = ["--models", "a,b", "--folds", "4"]
        seen = self.report(rows, *pair)["studies"][0]
        new = self.report(rows, *pair, "--unseen")["studies"][0]
        self.assertIn("to other models", new["router"])
        apgr = [figures["pair"]["scorers"][0]["fine"]["apgr"] for figures in (seen, new)]
        self.assertGreater(apgr[1], 0.6, apgr)
        result = self.bench(rows, "--folds", "4", "--unseen")
        self.assert_status(result, 65)
        self.assertIn("--unseen needs outcomes of two models", result.err)
        result = self.bench(rows, "--unseen")
        self.assert_status(result, 64)
        self.assertIn("--folds or --groups", result.err)

    def test_rb_4_a_prompt_in_two_groups_is_an_error(self):
        rows = self.rows()
        rows.append(dict(rows[0], dataset="g1"))
        result = self.bench(rows, "--groups")
        self.assert_status(result, 65)
        self.assertIn("outcomes.jsonl:301: its prompt is also at", result.err)
        self.assertIn("outcomes.jsonl:1", result.err)

    def test_rb_4_paraphrases_in_two_groups_or_files_are_an_error(self):
        rows = self.rows(40)
        pair = [dict(rows[i], prompt=f"a wording of it, {i}", paraphrase="one",
                     dataset=f"g{i}") for i in range(2)]
        result = self.bench(rows + pair, "--groups")
        self.assert_status(result, 65)
        self.assertIn("outcomes.jsonl:42: its prompt is also at", result.err)
        train = self.write_rows(self.rows(40, 1000) + pair[:1], "train.jsonl")
        result = self.bench(rows + pair[1:], "--train", train)
        self.assert_status(result, 65)
        self.assertIn("train.jsonl:41", result.err)

    def test_rb_4_keys_are_the_same_in_whatever_case(self):
        rows = self.rows(40)
        other = dict(rows[0], prompt="a wording of it", paraphrase=" ONE ",
                     dataset="g1")
        rows[0]["paraphrase"] = "one"
        result = self.bench([*rows, other], "--groups")
        self.assert_status(result, 65)
        self.assertIn("outcomes.jsonl:41: its prompt is also at", result.err)
        result = self.bench(rows, "--train", self.write_rows(
            self.rows(40, 1000) + [other], "train.jsonl"))
        self.assert_status(result, 65)
        self.assertIn("train.jsonl:41", result.err)

    def test_a_study_does_not_depend_on_other_files(self):
        one = self.rows(150)
        # Other models, on prompts that look quite different.
        other = [{"prompt": "x" * (i * 40), "scores": {"a": 1, "b": i % 2}}
                 for i in range(1, 120)]
        alone = self.report(one, "--folds", "3")["studies"]
        both = self.report(one, "--folds", "3", self.write_rows(other, "b.jsonl"))
        self.assertEqual(len(both["studies"]), 2)
        self.assertEqual(both["studies"][0], alone[0])

    def test_what_tells_may_stand_in_the_context(self):
        rows = self.rows()
        for row in rows:
            row["context"], row["prompt"] = row["prompt"], "Answer this."
        self.assertGreater(self.apgr(self.report(rows, "--folds", "5")), 0.75)

    def test_one_prompt_alone_is_not_fitted(self):
        rows = [dict(row, prompt="Answer this.") for row in self.rows(60)]
        result = self.bench(rows, "--folds", "5")
        self.assert_status(result, 65)
        self.assertIn("too few different prompts", result.err)

    def test_intervals_are_of_prompts_with_and_without_keys(self):
        def width(copies):
            rows = [dict(row, **({"paraphrase": f"q{copy} of {n}"} if copy else {}))
                    for n, row in enumerate(pool_rows(300)) for copy in range(copies)]
            pair = self.report(rows, "--folds", "3")["studies"][0]["pair"]
            length = by_name(pair["scorers"])["length only"]["intervals"]["apgr"]
            return length[1] - length[0]
        self.assertAlmostEqual(width(8), width(1), delta=0.02)

    def test_intervals_are_of_prompts(self):
        """Rows that are copies say no more than one of them."""
        rows = pool_rows(300)
        def intervals(copies):
            spelt = [dict(row, prompt=row["prompt"].upper() if copy % 2 else row["prompt"])
                     for copy in range(copies) for row in rows]
            pair = self.report(spelt, "--folds", "3")["studies"][0]["pair"]
            length = by_name(pair["scorers"])["length only"]["intervals"]["apgr"]
            return length[1] - length[0]
        self.assertAlmostEqual(intervals(8), intervals(1), delta=0.02)

    def test_rb_4_train(self):
        train = self.write_rows(self.rows(300, 1000), "train.jsonl")
        report = self.report(self.rows(), "--train", train)
        self.assertEqual(report["studies"][0]["router"],
                         "fitted to the files of --train")
        self.assertEqual(report["studies"][0]["rows"], 300)
        self.assertGreater(self.apgr(report), 0.75)

    def test_rb_4_training_rows_in_the_evaluation_set_are_an_error(self):
        rows = self.rows()
        train = self.write_rows(self.rows(50, 280), "train.jsonl")
        result = self.bench(rows, "--train", train)
        self.assert_status(result, 65)
        self.assertIn("outcomes.jsonl:281: its prompt is also at", result.err)
        self.assertIn("train.jsonl:1", result.err)
        self.assertIn("20 such rows", result.err)

    def test_train_must_know_the_models(self):
        train = self.write_rows([{"prompt": "x", "scores": {"s": 1, "v": 0}}],
                                "train.jsonl")
        result = self.bench(self.rows(), "--train", train)
        self.assert_status(result, 65)
        self.assertIn("no outcomes of 'w'", result.err)
        self.assert_status(
            self.bench(self.rows(), "--train", train, "--folds", "5"), 64)

    def test_the_same_seed_fits_the_same(self):
        rows = self.rows(120)
        first, again = (self.report(rows, "--folds", "3")["studies"]
                        for _ in range(2))
        self.assertEqual(first, again)

    def test_robustness_and_target_of_fitted_heads(self):
        study = self.report(self.rows(400), "--folds", "5", "--robust",
                            "--target-quality", "0.9")["studies"][0]
        self.assertGreater(study["robust"]["unchanged"], 0.5)
        self.assertIsNone(study["target"]["refused"])
        self.assertGreaterEqual(study["target"]["quality"], 0.9)
        self.assertLess(study["target"]["floor_broken"], 0.3)


class Robustness(FilesCase):
    NAMES = ["1 % typos", "3 % typos", "lower case", "upper case",
             "polite preamble", "terse suffix", "markdown wrap", "extra blanks",
             "no punctuation", "changed numbers", "20 injected prefixes"]

    def test_rb_5_robust(self):
        rows = pool_rows()
        robust = self.report(rows, "--robust")["studies"][0]["robust"]
        self.assertEqual(robust["rows"], 40)
        self.assertEqual([v["name"] for v in robust["variants"]], self.NAMES)
        for variant in robust["variants"]:
            self.assertTrue(0 <= variant["unchanged"] <= 1)
        mean = sum(v["unchanged"] for v in robust["variants"]) / len(self.NAMES)
        self.assertAlmostEqual(robust["unchanged"], mean)
        again = self.report(rows, "--robust")["studies"][0]["robust"]
        self.assertEqual(robust, again)
        self.assertIn("no punctuation", self.bench(rows, "--robust").text)
        self.assertNotIn("robust", self.report(rows)["studies"][0])
        self.assert_status(self.bench(rows, "--robust", "--fail-if",
                                      "unchanged<0"), 0)


    def test_rb_5_paraphrases_of_the_data(self):
        def rows(other):
            return [{"prompt": text, "paraphrase": f"q{i}",
                     "scores": {"s": 1, "w": i % 2}}
                    for i in range(30)
                    for text in ("word " * (2 * i + 1), other(i))]
        kept = self.report(rows(lambda i: "word " * (2 * i + 2)), "--robust")
        robust = kept["studies"][0]["robust"]
        self.assertEqual(robust["paraphrases"], 30)
        self.assertEqual([v["name"] for v in robust["variants"]],
                         self.NAMES + ["paraphrases of the data"])
        last = robust["variants"][-1]["unchanged"]
        self.assertGreater(last, 0.8)
        changed = self.bench(rows(lambda i: "Prove rigorously that the theorem of "
                                  f"Galois holds, number {i}, and integrate"), "--robust")
        self.assertRegex(changed.text, r"paraphrases of the data +\d+\.\d %")
        self.assertIn("(30 rows are paraphrases of earlier ones)", changed.text)

    def test_rb_4_paraphrases_fall_into_one_part(self):
        rows = [{"prompt": f"{words} {i}", "paraphrase": f"q{i}",
                 "scores": {"s": 1, "w": i % 2}}
                for i in range(200) for words in ("what is", "tell me about")]
        study = self.report(rows, "--part", "test", "--robust")["studies"][0]
        self.assertTrue(20 < study["rows"] < 70, study["rows"])
        self.assertEqual(study["robust"]["paraphrases"] * 2, study["rows"])

    def test_rb_4_copies_without_the_key_fall_into_the_part(self):
        rows = [{"prompt": f"{words} {i}", "scores": {"s": 1, "w": i % 2}}
                for i in range(200) for words in ("what is", "what  IS")]
        for i, row in enumerate(rows):
            if i % 2:
                row["paraphrase"] = f"q{i}"
        study = self.report(rows, "--part", "test")["studies"][0]
        self.assertTrue(20 < study["rows"] < 70, study["rows"])
        self.assertEqual(study["rows"] % 2, 0)
        alone = self.report(rows[1::2], "--part", "test")["studies"][0]
        self.assertEqual(study["rows"], 2 * alone["rows"])


class Target(FilesCase):
    def target(self, rows, share="0.8", config=Pool.CONFIG):
        return self.report(rows, "--target-quality", share,
                           config=config)["studies"][0]["target"]

    def test_a_worth_that_keeps_the_quality(self):
        target = self.target(pool_rows(400), "0.7")
        self.assertIsNone(target["refused"])
        self.assertEqual(target["warnings"], [])
        self.assertGreater(target["worth_usd"], 0)
        # The cheap model alone has .75, a third of a point over the floor.
        self.assertGreaterEqual(target["quality"], 0.7)
        self.assertLess(target["cost_usd"], target["best_cost_usd"])
        self.assertEqual(target["folds"], 100)
        self.assertTrue(0 <= target["floor_broken"] <= 0.2)

    def test_few_rows_are_warned_about(self):
        self.assertIn("under 300", self.target(pool_rows())["warnings"][0])

    def test_refused_where_there_is_nothing_to_tune(self):
        cheap_is_best = pool_rows(costs=(1, 4))
        self.assertIn("as good as any: use big",
                      self.target(cheap_is_best)["refused"])
        self.assertIn("no costs", self.target(by_length_rows(), config="")["refused"])
        text = self.bench(by_length_rows(), "--target-quality", "0.9").text
        self.assertIn("refused: no costs", text)
        self.assertIn("every model is free",
                      self.target(pool_rows(costs=(0, 0)))["refused"])
        self.assertIn("fewer than ten rows", self.target(pool_rows(5))["refused"])
        self.assert_status(self.bench(pool_rows(), "--target-quality", "2"), 64)


class Picture(FilesCase):
    def test_plot(self):
        file = self.home.file("plot.svg")
        rows = pool_rows(models=("a<b", "c&d")) + [
            {"prompt": "x", "scores": {"a<b": 1}}]
        self.assert_status(self.bench(rows, "--plot", file), 0)
        svg = pathlib.Path(file).read_text()
        root = xml.etree.ElementTree.fromstring(svg)
        texts = "".join(root.itertext())
        for part in ("a<b", "c&d", "zero router", "oracle", "length only",
                     "dollars per 1,000 prompts"):
            self.assertIn(part, texts)
        self.assertIn("prefers-color-scheme:dark", svg)
        for coordinate in re.findall(r'(?:[cx]?x|y)="(-?[\d.]+)"', svg):
            self.assertTrue(0 <= float(coordinate) <= 800, coordinate)
        # A pair without costs: against the share of calls.
        self.assert_status(self.bench(by_length_rows(), "--plot", file), 0)
        self.assertIn("percent of calls to s", pathlib.Path(file).read_text())
        result = self.bench(by_length_rows(), "--plot", "/nowhere/plot.svg")
        self.assert_status(result, 73)

    def test_chart_on_a_terminal_only(self):
        path = self.write_rows(pool_rows())
        self.assertNotIn("*****", self.run_llmroute(["bench", path]).text)
        leader, follower = os.openpty()
        process = self.spawn_llmroute(["bench", path], stdout=follower)
        os.close(follower)
        shown = harness.shown_on(leader)
        os.close(leader)
        self.assertEqual(process.wait(), 0)
        self.assertIn(b"o constants", shown)
        self.assertIn(b"+----", shown)


class WideTable(FilesCase):
    TABLE = (
        "sample_id,prompt,eval_name,a/x,b,a/x|model_response,b|model_response,"
        "a/x|total_cost,b|total_cost\r\n" + "".join(
            f's{i},"two\nlines, ""quoted"" {i}",mmlu,1.0,{i % 2},"long\n\nanswer"'
            f",no,0.004,0.001\r\n" for i in range(12)))

    def table(self, text, name="table.csv"):
        return self.run_llmroute(["bench", "--json", self.home.write(name, text)])

    def test_rb_1_csv(self):
        result = self.table(self.TABLE)
        self.assert_status(result, 0)
        study = result.json()["studies"][0]
        self.assertEqual((study["rows"], study["models"]), (12, ["a/x", "b"]))
        self.assertEqual(study["costs"], "file")
        self.assertEqual(study["datasets"][0]["name"], "mmlu")
        self.assertAlmostEqual(
            by_name(study["pool"]["constants"], "model")["b"]["quality"], 0.5)

    def test_rb_1_csv_gzipped_and_jsonl(self):
        plain = self.table(self.TABLE).json()["studies"][0]["pool"]
        packed = self.table(gzip.compress(self.TABLE.encode()), "table.csv.gz")
        self.assert_status(packed, 0)
        self.assertEqual(packed.json()["studies"][0]["pool"], plain)
        lines = "".join(json.dumps(row) + "\n" for row in csv.DictReader(
            io.StringIO(self.TABLE, newline="")))
        wide = self.table(lines, "table.jsonl")
        self.assert_status(wide, 0)
        self.assertEqual(wide.json()["studies"][0]["pool"], plain)

    def test_a_bad_table_names_line_and_record(self):
        result = self.table(self.TABLE + 's99,"x",mmlu,7,0,,,,\r\n')
        self.assert_status(result, 65)
        self.assertIn("table.csv:50: record 14: score of 'a/x'", result.err)
        self.assertEqual(len(result.err.splitlines()), 1)
        result = self.table(self.TABLE + '"open')
        self.assert_status(result, 65)
        self.assertIn("record 14 (line 50)", result.err)


class Comparison(FilesCase):
    def test_without_files_nothing_of_their_quality_can_be_asked(self):
        """An empty glob must not make a check pass."""
        for args in (["--fail-if", "apgr<2"], ["--baseline", "x"], ["--plot", "x.svg"],
                     ["--robust"], ["--folds", "5"], ["--target-quality", "0.9"],
                     ["--models", "a"]):
            result = self.run_llmroute(["bench", *args])
            self.assert_status(result, 64)
            self.assertIn("name the files", result.err)

    def test_I14_the_plot_is_not_written_over_what_is_read(self):
        rows = by_length_rows()
        self.assert_status(self.bench(rows, "--plot", self.write_rows(rows)), 73)
        self.assertEqual(self.bench(rows, "--json").json()["studies"][0]["rows"], 8)

    def test_fail_if(self):
        rows = by_length_rows()
        self.assert_status(self.bench(rows, "--fail-if", "apgr<-5"), 0)
        result = self.bench(rows, "--fail-if", "apgr>=-5", "--fail-if", "cpt50>1000")
        self.assert_status(result, 1)
        self.assertIn("--fail-if 'apgr>=-5': apgr is", result.err)
        self.assertIn("length only", result.text)  # the report all the same
        result = self.bench(rows, "--fail-if", "aiq<0.1")
        self.assert_status(result, 1)
        self.assertIn("was not measured", result.err)
        for bad in ("apgr", "apg<0.1", "apgr<x"):
            self.assert_status(self.bench(rows, "--fail-if", bad), 64)

    def test_fail_if_asks_every_study(self):
        free = self.write_rows([{"prompt": f"word {i} " * (i + 1),
                                 "scores": {"a": 1, "b": i % 2}} for i in range(40)],
                               "no-costs.jsonl")
        args = ["--folds", "3", "--fail-if", "aiq<0.01"]
        self.assert_status(self.bench(pool_rows(), *args), 0)
        result = self.bench(pool_rows(), *args, free)
        self.assert_status(result, 1)
        self.assertIn("aiq was not measured (no-costs", result.err)

    def test_baseline(self):
        rows = by_length_rows()
        old = self.home.write("old.json", self.bench(rows, "--json").out)
        same = self.bench(rows, "--baseline", old)
        self.assert_status(same, 0)
        self.assertIn("no figure differs", same.text)
        for row in rows[:2]:
            row["scores"]["w"] = 0
        changed = self.bench(rows, "--baseline", old)
        self.assertIn("against", changed.text)
        self.assertIn("saved_calls_95", changed.text)
        report = self.report(rows, "--baseline", old)
        change = by_name(report["changes"])["cpt80"]
        self.assertNotEqual(change["before"], change["now"])
        self.assertIs(change["outside_intervals"], False)
        # A figure without an interval is within none.
        self.assertIsNone(by_name(report["changes"])["routellm_apgr"]
                          ["outside_intervals"])
        self.assertRegex(changed.text, "routellm_apgr .* no intervals")
        bad = self.home.write("bad.json", "{}")
        self.assert_status(self.bench(rows, "--baseline", bad), 65)

    def test_studies_of_a_baseline_are_told_apart(self):
        """`rows.a.jsonl` and `rows.b.jsonl` were both `rows` once."""
        def rows(models, weak):
            return [dict(row, scores=dict(zip(models, (1, weak(i)))))
                    for i, row in enumerate(by_length_rows())]
        os.mkdir(self.home.file("b"))
        files = [self.write_rows(rows("sw", lambda i: i % 2), "rows.a.jsonl"),
                 self.write_rows(rows("tx", lambda i: i // 4), "rows.b.jsonl"),
                 self.write_rows(rows("uy", lambda i: int(i > 1)), "b/rows.b.jsonl")]
        result = self.run_llmroute(["bench", "--json", *files])
        self.assert_status(result, 0)
        names = [study["name"] for study in result.json()["studies"]]
        home = os.path.basename(os.path.dirname(files[1]))
        self.assertEqual(names, ["rows.a", f"{home}/rows.b.jsonl", "b/rows.b.jsonl"])
        old = self.home.write("old.json", result.out)
        same = self.run_llmroute(["bench", "--baseline", old, *files])
        self.assertIn("no figure differs", same.text)
        mixed = re.sub('"study":"[^"]+"', '"study":"rows"', result.text)
        refused = self.run_llmroute(
            ["bench", "--baseline", self.home.write("mixed.json", mixed), *files])
        self.assert_status(refused, 65)
        self.assertIn("mixed.json: two studies are named 'rows'", refused.err)

    def test_figures_that_vanished_are_listed(self):
        rows = pool_rows()
        old = self.home.write("old.json", self.bench(rows, "--robust", "--json").out)
        args = ["--baseline", old]
        change = by_name(self.report(rows, *args)["changes"])["unchanged"]
        self.assertIsNone(change["now"])
        self.assertFalse(change["better"])
        self.assertRegex(self.bench(rows, *args).text,
                         r"unchanged +outcomes +[\d.]+ +- +gone")

    def test_figures_are_flat_and_named(self):
        figures = by_name(self.report(by_length_rows())["figures"])
        self.assertEqual(figures["apgr"]["study"], "outcomes")
        self.assertLessEqual(figures["apgr"]["low"], figures["apgr"]["high"])
        self.assertLessEqual(figures["cpt50"]["low"], figures["cpt50"]["value"])
        self.assertIsNone(figures["decision_us"]["low"])


if __name__ == "__main__":
    unittest.main()
