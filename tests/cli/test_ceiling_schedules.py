"""K1, K2, X3: random schedules of 64 processes that share one ceiling, some
failing, some killed at any point. The stub's own account is the oracle."""

import dataclasses
import os
import random
import re
import subprocess
import time
import unittest

import harness
import test_ceilings
from durable_batch import FULL
from test_ceilings import ARGS, WORST, usd

PROCESSES = 64
PRICES = {"m": {"input": 1.0, "output": 2.0}, "dear": {"input": 3.0, "output": 6.0}}
WORST_OF = {"m": WORST, "dear": 3 * WORST}
# An answer; one that broke off; no money left; refused (400); not now.
ENDS = {0, 3, 4, 65, 75}


@dataclasses.dataclass
class Schedule:
    """One ceiling, and what happens under it."""
    scope: str  # of the ledger
    extra: str  # of the configuration
    env: dict
    args: list
    ceiling: int
    models: str
    rules: list
    starts: list  # seconds
    kills: dict  # process -> seconds after its start


def rules_of(dice):
    """The stub's random ways: quick or slow, without a count, failing."""
    wait = {"delay_headers_ms": dice.choice((1, 20, 100)), "delay_noise": 1.0}
    rules = []
    if dice.random() < 0.5:
        rules += [{"chance": dice.choice((0.05, 0.3)), "status": 503} | wait,
                  {"chance": 0.05, "status": 400} | wait]
    if dice.random() < 0.5:
        rules += [{"chance": 0.1, "words": 30, "cut_after": dice.randrange(1, 900)}
                  | wait]
    if dice.random() < 0.5:
        rules += [{"chance": 0.1, "words": 50, "usage": "omit"} | wait]
    if dice.random() < 0.7:  # the whole worst case
        rules += [{"chance": dice.choice((0.5, 1)), "words": 300,
                   "usage": {"input": 98, "output": 100}} | wait]
    return rules + [{"words": dice.choice((1, 20, 300))} | wait]


def schedule_of(dice, number):
    models = dice.choice(("m", "m", "dear", "dear,m"))
    # Enough for one call: less would lower the limit of its answer.
    least = max(WORST_OF[model] for model in models.split(","))
    ceiling = dice.randrange(least, dice.choice((4, 30, 120)) * WORST)
    limit = usd(ceiling)
    scope, extra, env, args = dice.choice((
        (f"run/r{number}", f"[limits]\nmax_cost = {limit}\n",
         {"LLMROUTE_RUN": f"r{number}"}, []),
        ("day/%", f"[limits]\nper_day = {limit}\n", {}, []),
        ("month/%", f"[limits]\nper_month = {limit}\n", {}, []),
        ("tag/team=search/day/%",
         f'[budgets.b]\ntag = "team=search"\nper_day = {limit}\n', {},
         ["--tag", "team=search"])))
    spread = dice.choice((0, 0.1, 0.3))
    starts = sorted(dice.uniform(0, spread) for _ in range(PROCESSES))
    killed = dice.choice((0, 0.1, 0.5))
    kills = {process: dice.uniform(0, dice.choice((0.03, 0.3)))
             for process in range(PROCESSES) if dice.random() < killed}
    return Schedule(scope, extra, env, args + ["--retries", str(dice.randrange(3))],
                    ceiling, models, rules_of(dice), starts, kills)


def stay_in_one_day():
    """Ceilings of a day begin anew at midnight (UTC)."""
    left = 86400 - time.time() % 86400
    if left < 60:
        time.sleep(left)


class Schedules(test_ceilings.CeilingCase):
    def test_K1_K2_X3_random_schedules_never_exceed_their_ceiling(self):
        seed = int(os.environ.get("LLMROUTE_TEST_SEED", random.randrange(1 << 30)))
        count = 1000 if FULL else 10
        begin = time.monotonic()
        self.sums = dict.fromkeys(
            ("answered", "refused", "killed", "left_held", "asked"), 0)
        self.closest = 0.0
        for number in range(count):
            with self.subTest(seed=seed, number=number):
                stay_in_one_day()
                self.play(schedule_of(random.Random(seed * 1000 + number), number))
        print(f"{count} schedules of {PROCESSES} processes, seed {seed}: {self.sums}, "
              f"at most {self.closest:.1%} of a ceiling spent, "
              f"{time.monotonic() - begin:.0f} s", flush=True)

    def play(self, schedule):
        home, self.home = self.home, harness.Home()
        stub = harness.Stub(schedule.rules, prices=PRICES,
                            seed=random.Random(str(schedule)).randrange(1 << 30))
        try:
            config = self.home.write("config.toml", harness.stub_config(
                stub, {"m": {}, "dear": {"price": PRICES["dear"]}},
                extra=schedule.extra))
            words = self.home.command(
                ARGS + ["-m", schedule.models, *schedule.args, "-c", config])
            self.check(schedule, stub, words, self.start(schedule, words))
        finally:
            stub.stop()
            self.home.remove()
            self.home = home

    def start(self, schedule, words):
        """Runs and kills them; (status, stderr) of each."""
        env = self.home.environment(schedule.env)
        events = [(when, process, False)
                  for process, when in enumerate(schedule.starts)]
        events += [(schedule.starts[process] + after, process, True)
                   for process, after in schedule.kills.items()]
        begin = time.monotonic()
        processes, errors = {}, {}
        for when, process, kill in sorted(events):
            time.sleep(max(0, begin + when - time.monotonic()))
            if kill:
                processes[process].kill()
                continue
            errors[process] = open(self.home.file(f"err-{process}"), "w+b")
            processes[process] = subprocess.Popen(
                words, env=env, stdin=subprocess.DEVNULL, stderr=errors[process],
                stdout=subprocess.DEVNULL)
        ends = []
        for number, process in processes.items():
            status = process.wait(timeout=300)
            with errors[number] as file:
                file.seek(0)
                ends.append((status, file.read().decode(errors="replace")))
        return ends

    def check(self, schedule, stub, words, ends):
        account = stub.account(wait=20)
        settled, held = self.sum_of(schedule)
        self.assertLessEqual(account["pico_usd"], schedule.ceiling)
        self.assertLessEqual(settled + held, schedule.ceiling)
        self.assertGreaterEqual(settled + held, account["pico_usd"])
        for status, err in ends:
            self.assertIn(status, ENDS | {-9}, err)
        self.every_call_is_in_the_ledger(stub)
        self.none_is_refused_without_need(schedule, ends)
        self.count(schedule, account, ends)
        again = self.home.run(["usage", "--recount"], config="", timeout=60)
        self.assert_status(again, 0)
        self.assertEqual(self.query("PRAGMA integrity_check"), [("ok",)])
        self.next_one_is_taken_if_it_fits(schedule, words)
        self.assertLessEqual(stub.account()["pico_usd"], schedule.ceiling)

    def sum_of(self, schedule):
        """Settled and held, in picodollars."""
        (settled, held), = self.query(
            "SELECT coalesce(sum(settled_pico), 0), coalesce(sum(held_pico), 0) "
            f"FROM scopes WHERE name LIKE '{schedule.scope}'")
        return settled, held

    def kept(self, where="true"):
        (count,), = self.query(f"SELECT count(*) FROM attempts WHERE {where}")
        return count

    def every_call_is_in_the_ledger(self, stub):
        asked = [request.model for request in stub.requests()]
        for model in PRICES:
            self.assertGreaterEqual(self.kept(f"model='{model}'"),
                                    asked.count(model), model)

    def none_is_refused_without_need(self, schedule, ends):
        """What all were granted is the most that was ever put aside; and what a
        refusal itself says was in its way. Three digits of each are shown."""
        (granted,), = self.query("SELECT total(worst_pico) FROM attempts")
        for err in (err for status, err in ends if status == 4):
            # All but the used-up ceiling leaves room that was too small.
            used = re.search(r" = \$([\d.]+) is used up: \$([\d.]+) is spent", err)
            if used:
                self.assertGreaterEqual(float(used[2]), float(used[1]) * 0.98, err)
                continue
            said = re.search(
                r"worst case of \$([\d.]+) .*does not fit under .* \$([\d.]+): "
                r"\$([\d.]+) is (?:spent, \$([\d.]+) is held|or may be spent)", err)
            self.assertIsNotNone(said, err)
            worst, limit, spent, held = map(float, said.groups("0"))
            self.assertGreater(worst + spent + held, limit * 0.98, err)
            self.assertGreater(granted + worst * 1.01e12, schedule.ceiling, err)

    def next_one_is_taken_if_it_fits(self, schedule, words):
        worst = min(WORST_OF[model] for model in schedule.models.split(","))
        for _ in range(3):
            settled, held = self.sum_of(schedule)
            fits = settled + held + worst <= schedule.ceiling
            before = self.kept()
            self.query("DELETE FROM statistics")  # no breaker is in the way
            ended = subprocess.run(
                words, env=self.home.environment(schedule.env), timeout=300,
                stdin=subprocess.DEVNULL, capture_output=True, check=False)
            self.assertEqual(self.kept() > before, fits, ended.stderr)
            self.assertIn(ended.returncode, ENDS if fits else {4}, ended.stderr)

    def count(self, schedule, account, ends):
        statuses = [status for status, _ in ends]
        for name, number in (("answered", statuses.count(0)),
                             ("refused", statuses.count(4)),
                             ("killed", statuses.count(-9)),
                             ("left_held", self.kept("state='held'")),
                             ("asked", account["requests"])):
            self.sums[name] += number
        self.closest = max(self.closest, account["pico_usd"] / schedule.ceiling)


if __name__ == "__main__":
    unittest.main()
