"""What a call costs: each kind of token at its own price, through the binary."""

import json
import unittest

from provider_case import ProviderCase

# USD per million tokens; every sum below is by hand.
PRICE = {"input": 8, "cached_input": 0.8, "cache_write": 10, "output": 40, "reasoning": 50}


def openai_usage(prompt, completion, **details):
    return {"prompt_tokens": prompt, "completion_tokens": completion,
            "total_tokens": prompt + completion,
            "prompt_tokens_details": {k: v for k, v in details.items() if "cache" in k},
            "completion_tokens_details": {k: v for k, v in details.items() if "reas" in k}}


class Prices(ProviderCase):
    def cost(self, usage, protocol="openai-chat", price=None, frames=None, **model):
        rule = {"frames": frames} if frames else {"text": "a", "usage_raw": json.dumps(usage)}
        result, _ = self.ask([rule], protocol, ["--json"],
                             model={"price": price or PRICE} | model)
        self.assert_status(result, 0)
        return result.json()["cost"]["usd"]

    def assert_usd(self, cost, per_million):
        self.assertEqual(round(cost * 1e12), round(per_million * 1e6))

    def test_cached_tokens_at_their_own_price(self):
        usage = openai_usage(1000, 10, cached_tokens=600)
        self.assert_usd(self.cost(usage), 400 * 8 + 600 * 0.8 + 10 * 40)
        self.assert_usd(self.cost({"prompt_tokens": 1000, "completion_tokens": 10,
                                   "prompt_cache_hit_tokens": 600}),
                        400 * 8 + 600 * 0.8 + 10 * 40)
        plain = {"input": 8, "output": 40}
        self.assert_usd(self.cost(usage, price=plain), 1000 * 8 + 10 * 40)

    def test_cache_writes_at_their_own_price(self):
        usage = openai_usage(1000, 10, cached_tokens=600, cache_write_tokens=300)
        self.assert_usd(self.cost(usage), 100 * 8 + 600 * 0.8 + 300 * 10 + 10 * 40)

    def test_reasoning_tokens_at_their_own_price(self):
        usage = openai_usage(100, 90, reasoning_tokens=70)
        self.assert_usd(self.cost(usage), 100 * 8 + 20 * 40 + 70 * 50)
        self.assert_usd(self.cost(usage, price={"input": 8, "output": 40}),
                        100 * 8 + 90 * 40)

    def test_reasoning_that_a_server_leaves_out_of_the_output(self):
        usage = {"prompt_tokens": 12, "completion_tokens": 2, "total_tokens": 354,
                 "completion_tokens_details": {"reasoning_tokens": 340}}
        self.assert_usd(self.cost(usage), 12 * 8 + 2 * 40 + 340 * 50)

    def test_P3_counts_that_contradict_each_other_are_read_dearest_and_flagged(self):
        reasoning = {"completion_tokens_details": {"reasoning_tokens": 340}}
        for usage, protocol, output, estimated in (
                ({"prompt_tokens": 12, "completion_tokens": 2, "total_tokens": 100},
                 "openai-chat", 88, True),
                ({"prompt_tokens": 12, "completion_tokens": 2, "total_tokens": 13},
                 "openai-chat", 2, True),
                ({"prompt_tokens": 12, "completion_tokens": 2, "total_tokens": 354} |
                 reasoning, "openai-chat", 342, False),
                ({"prompt_tokens": 12, "completion_tokens": 2, "total_tokens": 14},
                 "openai-chat", 2, False),
                ({"prompt_tokens": 12, "completion_tokens": 2}, "openai-chat", 2, False),
                ({"input_tokens": 12, "output_tokens": 2, "total_tokens": 100},
                 "openai-responses", 88, True),
                ({"promptTokenCount": 12, "candidatesTokenCount": 2,
                  "totalTokenCount": 100}, "gemini", 88, True),
                ({"promptTokenCount": 12, "candidatesTokenCount": 2,
                  "thoughtsTokenCount": 3, "totalTokenCount": 17}, "gemini", 5, False)):
            with self.subTest(usage):
                result, _ = self.ask([{"text": "a", "usage_raw": json.dumps(usage)}],
                                     protocol, ["--json"])
                said = result.json()
                self.assertEqual(said["usage"]["output"], output)
                self.assertEqual(said["cost"]["estimated"], estimated)

    def test_responses(self):
        usage = {"input_tokens": 1000, "output_tokens": 90, "total_tokens": 1090,
                 "input_tokens_details": {"cached_tokens": 600},
                 "output_tokens_details": {"reasoning_tokens": 70}}
        self.assert_usd(self.cost(usage, "openai-responses"),
                        400 * 8 + 600 * 0.8 + 20 * 40 + 70 * 50)

    def test_gemini(self):
        usage = {"promptTokenCount": 1000, "cachedContentTokenCount": 600,
                 "candidatesTokenCount": 20, "thoughtsTokenCount": 70,
                 "totalTokenCount": 1090}
        self.assert_usd(self.cost(usage, "gemini"),
                        400 * 8 + 600 * 0.8 + 20 * 40 + 70 * 50)

    def test_ANT_5_cache_reads_and_writes_at_their_own_rates(self):
        usage = {"input_tokens": 100, "cache_creation_input_tokens": 300,
                 "cache_read_input_tokens": 600, "output_tokens": 10}
        self.assert_usd(self.cost(usage, "anthropic"),
                        100 * 8 + 300 * 10 + 600 * 0.8 + 10 * 40)

    def test_ANT_5_no_cache_markers_are_sent_unasked(self):
        _, stub = self.ask([{"text": "a"}], "anthropic", ["--system", "Be brief."])
        self.assertNotIn(b"cache_control", self.posts(stub)[0].body)
        marked = '[{"type":"text","text":"x","cache_control":{"type":"ephemeral"}}]'
        _, stub = self.ask([{"text": "a"}], "anthropic", ["-O", f"system={marked}"])
        self.assertEqual(self.posts(stub)[0].json()["system"], json.loads(marked))

    def test_a_tier_is_of_the_whole_request(self):
        tiers = [{"above": 1000, "input": 16, "cached_input": 1.6, "output": 60},
                 {"above": 5000, "input": 32, "output": 90}]
        for prompt, cached, per_million in (
                (1000, 0, 1000 * 8 + 10 * 40), (1001, 0, 1001 * 16 + 10 * 60),
                (1001, 600, 401 * 16 + 600 * 1.6 + 10 * 60),
                (5000, 0, 5000 * 16 + 10 * 60), (5001, 1, 5001 * 32 + 10 * 90)):
            with self.subTest(prompt):
                usage = openai_usage(prompt, 10, cached_tokens=cached)
                self.assert_usd(self.cost(usage, price_tiers=tiers), per_million)

    def test_a_tier_counts_cached_and_written_tokens_too(self):
        usage = {"input_tokens": 1, "cache_creation_input_tokens": 500,
                 "cache_read_input_tokens": 500, "output_tokens": 10}
        tiers = [{"above": 1000, "input": 16, "cache_write": 20, "cached_input": 1.6,
                  "output": 60}]
        self.assert_usd(self.cost(usage, "anthropic", price_tiers=tiers),
                        16 + 500 * 20 + 500 * 1.6 + 10 * 60)


if __name__ == "__main__":
    unittest.main()
