"""`llmroute bench`: speed of this build; quality on files of outcomes."""

import json
import pathlib
import unittest

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

    def test_figures_for_programs(self):
        result = self.run_llmroute(["bench", "--seconds", "0.1", "--json"])
        self.assert_status(result, 0)
        report = result.json()
        self.assertEqual([t["what"] for t in report["timings"]],
                         ["analysis", "analysis, long", "decision"])
        for timing in report["timings"]:
            self.assertGreater(timing["calls"], 10)
            self.assertGreater(timing["p50_ns"], 0)
            self.assertLessEqual(timing["p50_ns"], timing["p99_ns"])
        self.assertEqual(report["timings"][1]["bytes"], 20000)
        self.assertGreater(report["timings"][2]["models"], 1)
        self.assertGreater(report["start"]["program_ms"], 0)


class Quality(harness.TestCase):
    def bench(self, rows, *args):
        path = pathlib.Path(self.home.file("outcomes.jsonl"))
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return self.run_llmroute(["bench", str(path), *args])

    def test_a_pair_is_measured_beside_length_and_oracle(self):
        # Eight prompts, each longer than the one before: by length, the four
        # that need the strong model come first.
        rows = [{"prompt": "word " * (i + 1), "dataset": "d",
                 "scores": {"s": 1, "w": 0 if i >= 4 else 1}}
                for i in range(8)]
        result = self.bench(rows, "--json")
        self.assert_status(result, 0)
        pair = result.json()["pairs"][0]
        self.assertEqual((pair["strong"], pair["weak"], pair["rows"]),
                         ("s", "w", 8))
        self.assertEqual(pair["strong_mean"], 1)
        self.assertEqual(pair["weak_mean"], 0.5)
        scorers = {s["name"]: s for s in pair["scorers"]}
        # Quality rises from .5 to 1 over the first half of the calls and stays:
        # area .875, less .5, over .5.
        for name in ("length only", "oracle"):
            self.assertAlmostEqual(scorers[name]["fine"]["apgr"], 0.75)
            self.assertAlmostEqual(scorers[name]["fine"]["cpt50"], 25)
        self.assertIn("llmroute", scorers)

    def test_text(self):
        rows = [{"prompt": f"question {i}", "domain": "math",
                 "scores": {"s": 1, "w": i % 2}} for i in range(20)]
        result = self.bench(rows)
        self.assert_status(result, 0)
        for part in ("s (1.000) over w (0.500)", "length only", "oracle",
                     "domains of 20 rows"):
            self.assertIn(part, result.text)

    def test_rows_that_compare_nothing(self):
        self.assert_status(self.bench([{"prompt": "x"}]), 65)

    def test_bad_row(self):
        result = self.bench([{"prompt": "x", "scores": {"m": 3}}])
        self.assert_status(result, 65)
        self.assertIn("outcomes.jsonl:1", result.err)


if __name__ == "__main__":
    unittest.main()
