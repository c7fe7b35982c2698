"""Records of a batch with a schema of their own: it is sent, and answers fit it."""

import json
import os
import unittest

import batch_case

SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}},
          "required": ["name"], "additionalProperties": False}
FITS, MISFIT = '{"name": "x"}', '{"name": 1}'
USAGE = {"prompt_tokens": 10, "completion_tokens": 5}
COST = (10 * 1 + 5 * 1) / 1e6  # of the small model
MODELS = {"small": {"ability": 3.0, "price": {"input": 1, "output": 1},
                    "tags": ["json"]},
          "large": {"ability": 3.4, "price": {"input": 4, "output": 4},
                    "tags": ["json"]}}
JSON_MODEL = {"m": {"tags": ["json"]}}


def record(text, **fields):
    return {"prompt": text, "schema": SCHEMA} | fields


class Schemas(batch_case.BatchCase):
    def answering(self, *texts):
        return self.stub([{"times": 1, "text": text, "usage": USAGE}
                          for text in texts[:-1]] + [{"text": texts[-1],
                                                      "usage": USAGE}])

    def ask(self, stub, *records, status=0, args=(), models=None):
        result = self.batch(stub, ["-j", "1", "--no-timing", *args],
                            stdin=batch_case.lines(*records),
                            models=models or JSON_MODEL)
        return self.results(result, status)

    def test_OAI_5_each_record_sends_its_own(self):
        stub = self.answering(FITS)
        results = self.ask(stub, record("a"), {"prompt": "b"},
                           record("c", schema={"type": "object"}))
        self.assertEqual(batch_case.codes(results), [None] * 3)
        forms = [post.json().get("response_format") for post in self.posts(stub)]
        self.assertEqual(forms[0]["json_schema"]["schema"], SCHEMA)
        self.assertTrue(forms[0]["json_schema"]["strict"])
        self.assertIsNone(forms[1])
        self.assertEqual(forms[2]["json_schema"]["schema"], {"type": "object"})

    def test_OAI_5_an_answer_that_does_not_fit_is_an_error_beside_its_text(self):
        stub = self.answering(MISFIT, "Sure!", FITS)
        results = self.ask(stub, record("a"), record("b"), record("c"), status=1)
        self.assertEqual(batch_case.codes(results), ["data", "data", None])
        self.assertEqual(batch_case.texts(results), [MISFIT, "Sure!", FITS])
        self.assertIn("at /name: no string", results[0]["error"]["message"])
        self.assertIn("does not fit the schema", results[1]["error"]["message"])

    def test_OLR_11_a_stronger_model_is_asked_next(self):
        stub = self.answering(MISFIT, FITS)
        result, = self.ask(stub, record("a"), models=MODELS,
                           args=["--worth", "0.0001"])
        self.assertEqual((result["text"], result["error"], result["attempts"]),
                         (FITS, None, 2))
        self.assertEqual([post.json()["model"] for post in self.posts(stub)],
                         ["small", "large"])
        self.assertAlmostEqual(result["cost"]["usd"], 5 * COST)

    def test_OLR_11_nobody_stronger_fits_either(self):
        stub = self.answering(MISFIT, "{}")
        result, = self.ask(stub, record("a"), models=MODELS, status=1,
                           args=["--worth", "0.0001"])
        self.assertEqual((result["text"], result["error"]["code"],
                          result["attempts"]), ("{}", "data", 2))

    def test_what_is_rejected_must_do_if_the_ceiling_allows_no_other(self):
        stub = self.answering(MISFIT)
        result, = self.ask(
            stub, record("a"), models=MODELS, status=1,
            args=["--worth", "0.0001", "--max-tokens", "100", "--max-cost",
                  "0.0008"])
        self.assertEqual((result["text"], result["error"]["code"]),
                         (MISFIT, "data"))
        self.assertEqual(len(self.posts(stub)), 1)

    def test_a_stronger_model_that_fails_leaves_the_first_answer(self):
        stub = self.stub([{"times": 1, "text": MISFIT, "usage": USAGE},
                          {"status": 400}])
        result, = self.ask(stub, record("a"), models=MODELS, status=1,
                           args=["--worth", "0.0001"])
        self.assertEqual((result["text"], result["error"]["code"]),
                         (MISFIT, "data"))

    def test_a_schema_that_cannot_be_enforced_is_the_records_fault(self):
        stub = self.answering(FITS)
        results = self.ask(stub, record("a", schema={"unheard": 1}),
                           record("b", schema={"type": "nothing"}),
                           record("c"), status=1)
        self.assertEqual(batch_case.codes(results), ["bad_value", "bad_value", None])
        self.assertIn("unheard", results[0]["error"]["message"])

    def test_only_models_tagged_json_are_asked(self):
        stub = self.answering(FITS)
        results = self.ask(stub, record("a", model="m"), {"prompt": "b"}, status=1,
                           models={"m": {}})
        self.assertEqual(batch_case.codes(results), ["unavailable", None])

    def test_split_writes_it_for_the_queue(self):
        stub = self.answering(FITS)
        config = self.config(stub, JSON_MODEL)
        folder = self.home.file("work/queues")
        result = self.batch(stub, ["--split", folder], config=config,
                            stdin=batch_case.lines(record("a"), {"prompt": "b"}))
        self.assert_status(result, 0)
        with open(os.path.join(folder, "m.jsonl"), encoding="utf-8") as file:
            bodies = [json.loads(line)["body"] for line in file]
        self.assertEqual(bodies[0]["response_format"]["json_schema"]["schema"],
                         SCHEMA)
        self.assertNotIn("response_format", bodies[1])


if __name__ == "__main__":
    unittest.main()
