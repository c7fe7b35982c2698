#!/usr/bin/env python3
"""Writes training rows whose difficulty is known from how they were made: word problems
of one to seven steps, programs whose output is asked for, and conclusions from facts
and rules.

    tools/make_problems.py > models/problems.jsonl

The same bytes every time. Difficulties are judgements on the scale of the registry's
abilities: what takes one more step is harder by about half a unit, and a model of the
class of GPT-4o (ability 0) fails every other time at difficulty 0.
"""

import json
import random

NAMES = ("Ana Ben Carla Dmitri Elif Femi Grace Hiro Ines Jonas Kavya Liam Mei Noor Otto "
         "Priya Quinn Rosa Samir Tara Umar Vera Wanda Yusuf Zoe").split()
FRIENDS = "her sister,his neighbour,a friend,the school,two cousins,a colleague".split(",")
ITEMS = ("apples marbles stickers books pencils eggs cookies stamps coins candles shells "
         "tickets bottles flowers badges postcards beads cards").split()
GOODS = [("notebook", 3), ("pen", 2), ("shirt", 15), ("lamp", 24), ("mug", 7), ("cake", 12),
         ("ticket", 9), ("cable", 4), ("plant", 11), ("pizza", 13), ("scarf", 18)]
JOBS = ["washes cars", "babysits", "works in a bakery", "tutors children", "paints fences",
        "delivers parcels", "repairs bicycles", "stacks shelves"]


class Story:
    """Sentences of a word problem, and how many steps it takes to follow them."""

    def __init__(self, chance):
        self.chance = chance
        self.name, self.other = chance.sample(NAMES, 2)
        self.sentences, self.steps = [], 0

    def tell(self, *ways, steps=1):
        self.sentences.append(self.chance.choice(ways))
        self.steps += steps

    def tell_some(self, sentences, steps):
        """In any order, each once, until it takes so many steps."""
        self.chance.shuffle(sentences)
        while self.steps < steps and sentences:
            self.tell(sentences.pop())

    def ask(self, *ways):
        return " ".join(self.sentences + [self.chance.choice(ways)])


def inventory(chance, steps):
    s = Story(chance)
    items = chance.choice(ITEMS)
    have = chance.randrange(12, 90)

    def n():
        return chance.randrange(2, max(have // 2, 4))

    s.tell(f"{s.name} has {have} {items}.", f"There are {have} {items} in {s.name}'s box.",
           f"{s.name} starts the week with {have} {items}.", steps=0)
    while s.steps < steps:
        s.tell(
            f"{s.name} buys {n()} more.",
            f"Then {s.name} gives {n()} of them to {chance.choice(FRIENDS)}.",
            f"{s.other} brings {n()} {items}.",
            f"Half of the {items} are sold the next day.",
            f"{chance.choice(['A third', 'A quarter', 'A fifth'])} of what is left gets lost.",
            f"On Friday the number of {items} doubles.",
            f"{s.name} loses {n()} of the {items} on the way.",
            f"Each of {chance.randrange(3, 7)} friends adds {chance.randrange(2, 9)} {items}.",
            f"{chance.choice([10, 20, 25, 40, 50])}% of the {items} turn out to be broken and "
            "are thrown away.",
            f"Every day for {chance.randrange(3, 8)} days {s.name} uses up "
            f"{chance.randrange(1, 4)} {items}.")
    return s.ask(f"How many {items} does {s.name} have now?", f"How many {items} are left?",
                 f"What is the number of {items} in the end?")


def shopping(chance, steps):
    s = Story(chance)
    goods = chance.sample(GOODS, min(max(steps, 1), 6))
    first = goods[0]
    money = chance.randrange(40, 300)
    parts = []
    for thing, price in goods[:max(1, steps - 1)]:
        count = chance.randrange(2, 9)
        parts.append(f"{count} {thing}s at ${price + chance.randrange(0, 4)} each")
        s.steps += 1
    listed = parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]
    s.tell(f"{s.name} buys {listed}.", f"At the market {s.name} picks out {listed}.",
           f"{s.name} orders {listed} for a party.", steps=0)
    extra = [
        f"There is a discount of {chance.choice([5, 10, 15, 20, 25])}% on everything.",
        f"The cashier adds a sales tax of {chance.choice([5, 6, 8, 10])}%.",
        f"A voucher takes ${chance.randrange(3, 12)} off the total.",
        f"{s.name} and {s.other} split the bill equally.",
        f"Delivery costs another ${chance.randrange(3, 9)}."]
    s.tell_some(extra, steps)
    if chance.random() < .5:
        s.tell(f"{s.name} pays with ${money}.", f"{s.name} had saved ${money} for this.")
        return s.ask("How much change does that leave?", "How much money is left?")
    return s.ask(f"How much does {s.name} pay?", "What is the total in dollars?",
                 f"What does it all cost, the {first[0]}s included?")


def wages(chance, steps):
    s = Story(chance)
    rate, hours = chance.randrange(8, 30), chance.randrange(3, 9)
    s.tell(f"{s.name} {chance.choice(JOBS)} for ${rate} an hour.",
           f"{s.name} {chance.choice(JOBS)} and earns ${rate} per hour.", steps=0)
    s.tell(f"On Monday {s.name} works {hours} hours.",
           f"Each shift takes {hours} hours.")
    more = [
        f"There are {chance.randrange(3, 7)} shifts a week.",
        f"Hours beyond {hours * 3} a week are paid one and a half times as much.",
        f"On Saturdays the pay is ${chance.randrange(2, 6)} an hour higher.",
        f"{s.name} also gets ${chance.randrange(5, 40)} in tips every week.",
        f"{chance.choice([10, 15, 20, 30])}% of the pay goes to taxes.",
        f"The bus costs ${chance.randrange(2, 5)} each way on working days.",
        f"{s.other} earns {chance.choice(['twice', 'half', 'three times'])} as much as {s.name}.",
        f"After {chance.randrange(2, 5)} months the rate goes up by ${chance.randrange(1, 4)}."]
    s.tell_some(more, steps)
    if steps > 3 and chance.random() < .4:
        return s.ask(f"{s.name} wants to buy a bicycle for ${chance.randrange(300, 900)}. How "
                     "many weeks does that take?")
    week, month = (" in a week" if steps > 1 else ""), (" in four weeks" if steps > 2 else "")
    return s.ask(f"How much does {s.name} earn{week}?",
                 f"How many dollars does {s.name} take home{month}?")


def ages(chance, steps):
    s = Story(chance)
    people = chance.sample(NAMES, steps + 1)
    for a, b in zip(people, people[1:]):
        k = chance.randrange(2, 15)
        s.tell(f"{a} is {k} years older than {b}.", f"{a} is twice as old as {b}.",
               f"{b} is {k} years younger than {a}.",
               f"In {k} years {a} will be three times as old as {b} is now.",
               f"{a} is half the age of {b}.")
    chance.shuffle(s.sentences)
    s.tell(f"{people[-1]} is {chance.choice(range(6, 60, 2))}.", steps=0)
    return s.ask(f"How old is {people[0]}?", f"What is {people[0]}'s age?",
                 f"What is the sum of the ages of {people[0]} and {people[-1]}?")


def travel(chance, steps):
    s = Story(chance)
    vehicle = chance.choice(["train", "bus", "ferry", "van", "cyclist", "truck"])
    s.tell(f"A {vehicle} travels at {chance.randrange(2, 12) * 10} km/h for "
           f"{chance.randrange(2, 7)} hours.",
           f"A {vehicle} covers {chance.randrange(3, 30) * 10} km in "
           f"{chance.randrange(2, 6)} hours.")
    while s.steps < steps:
        s.tell(
            f"It then stops for {chance.randrange(2, 9) * 5} minutes.",
            f"For the next {chance.randrange(20, 200)} km it goes "
            f"{chance.choice([10, 20, 25])}% faster.",
            f"After that it goes at {chance.randrange(3, 11) * 10} km/h for "
            f"{chance.randrange(20, 100)} minutes.",
            f"On the way back the speed is {chance.randrange(5, 20)} km/h lower.",
            f"It burns {chance.randrange(4, 12)} liters for every 100 km, and a liter costs "
            f"${chance.choice(['1.20', '1.45', '1.60', '1.80'])}.",
            f"Another {vehicle} leaves {chance.randrange(1, 4)} hours later and is "
            f"{chance.randrange(5, 30)} km/h faster.")
    if "Another" in s.sentences[-1]:
        return s.ask("After how many hours does the second catch up with the first?")
    if "liter" in s.sentences[-1]:
        return s.ask("How much does the fuel cost?")
    return s.ask("How many kilometers is that in all?", "How long does the whole trip take?",
                 "What is the average speed?")


def shares(chance, steps):
    s = Story(chance)
    group = chance.choice(["students in a school", "people at a concert", "birds on a lake",
                           "trees in an orchard", "cars in a car park", "pages in a book"])
    what = group.split()[0]
    s.tell(f"There are {chance.randrange(4, 60) * 20} {group}.", steps=0)
    traits = ["red", "new", "small", "marked", "from abroad", "older than ten years", "damaged",
              "in the east", "first in line", "counted twice"]
    chance.shuffle(traits)
    while s.steps < steps and traits:
        trait = traits.pop()
        s.tell(
            f"{chance.choice([10, 20, 25, 30, 40, 60, 75])}% of them are {trait}.",
            f"Of these, {chance.choice(['one half', 'a third', 'two fifths', 'three quarters'])} "
            f"are {trait}.",
            f"{chance.randrange(5, 19)} of the rest are {trait}.",
            f"Twice as many are {trait} as not.",
            f"The {what} that are {trait} outnumber the others by {chance.randrange(3, 30)}.")
    return s.ask(f"How many {what} are {trait}?", f"How many {what} remain?",
                 f"What share of the {what} is that, in percent?")


def program(chance, steps):
    """A Python function whose value is asked for. Models read tokens: what is done letter by
    letter is harder than what is done with numbers, and more so if there are many."""
    number = chance.random() < .4
    text = "".join(chance.choice("abcdeklmnrstxyz AB019") for _ in range(chance.randrange(2, 30)))
    values = [chance.randrange(-9, 30) for _ in range(chance.randrange(2, 9))]
    harder = .06 * len(values) if number else .5 + .04 * len(text)
    lines, name = [], chance.choice(["f", "g", "solve", "mix", "process"])
    if number:
        arg = repr(values)
        ways = [
            "    x = [v for v in x if v % {a} != {b}]",
            "    x = sorted(x, reverse={flag})",
            "    x = x[{b}:] + x[:{b}]",
            "    for i in range(len(x)):\n        x[i] = x[i] * {a} - i",
            "    total = 0\n    for v in x:\n        if v > {b}:\n            total += v\n"
            "        else:\n            total -= {a}\n    x.append(total)",
            "    while x and x[-1] > {b}:\n        x.pop()",
            "    x = [a + b for a, b in zip(x, x[1:])]",
            "    x.insert({b}, len(x))",
            "    seen = {{}}\n    for v in x:\n        seen[v % {a}] = seen.get(v % {a}, 0) + v\n"
            "    x = list(seen.values())"]
    else:
        arg = repr(text)
        ways = [
            "    x = x.replace('{c}', '{d}')",
            "    x = x[::-1]",
            "    x = x.strip('{c}').upper()",
            "    x = ''.join(c for c in x if c.isalpha() or c == '{d}')",
            "    x = ''.join(chr(ord(c) + 1) if i % {a} else c for i, c in enumerate(x))",
            "    parts = x.split('{c}')\n    x = '{d}'.join(reversed(parts))",
            "    out = ''\n    for i, c in enumerate(x):\n        if c in out:\n"
            "            out += str(i)\n        else:\n            out = c + out\n    x = out",
            "    x = x[:{a}] + x[{a}:].swapcase()",
            "    while len(x) < {e}:\n        x = x + x[-{a}:]"]
    for way in [chance.choice(ways) for _ in range(steps)]:
        lines.append(way.format(a=chance.randrange(2, 5), b=chance.randrange(0, 3),
                                c=chance.choice("abrst"), d=chance.choice("kxz_"),
                                e=chance.randrange(12, 20), flag=chance.random() < .5))
    code = f"def {name}(x):\n" + "\n".join(lines) + "\n    return x"
    return chance.choice([
        f"What does this program print?\n\n{code}\n\nprint({name}({arg}))",
        f"{code}\n\nWhat is {name}({arg})?",
        f"Give the output, nothing else.\n```python\n{code}\nprint({name}({arg}))\n```",
        f"Complete the assertion so that it holds.\n{code}\nassert {name}({arg}) == ??",
        f"Trace the function by hand and say what it returns for {arg}:\n{code}"]), harder


KINDS = ["wumpus", "bookbinder", "violinist", "tortoise", "senator", "gardener", "violet thing",
         "rower", "collector", "member of the club", "swimmer", "liar", "guest", "poet"]


def conclusion(chance, steps):
    """Facts and rules, and a statement that follows, does not, or is left open."""
    kinds = chance.sample(KINDS, min(steps + 2, len(KINDS)))
    name = chance.choice(NAMES)
    lines = [chance.choice([f"Every {a} is a {b}.", f"All {a}s are {b}s.",
                            f"If someone is a {a}, they are a {b}.", f"No {a} is a {b}.",
                            f"Whoever is not a {b} is not a {a} either."])
             for a, b in zip(kinds, kinds[1:])]
    lines.append(chance.choice([f"{name} is a {kinds[0]}.", f"{name} is not a {kinds[-1]}.",
                                f"{name} is either a {kinds[0]} or a {kinds[1]}, but not both."]))
    chance.shuffle(lines)
    claim = chance.choice([f"{name} is a {kinds[-1]}", f"{name} is not a {kinds[len(kinds) // 2]}",
                           f"Some {kinds[0]} is not a {kinds[-1]}"])
    return chance.choice([
        "\n".join(lines) + f"\n\nDoes it follow that {claim[0].lower() + claim[1:]}?"
        if not claim.startswith(name) else "\n".join(lines) + f"\n\nDoes it follow that {claim}?",
        " ".join(lines) + f" Is it true, false or unknown: {claim}.",
        f"Premises: {' '.join(lines)}\nConclusion: {claim}.\nIs the conclusion valid?",
        " ".join(lines) + f" What can be said about {name}?"])


# Of each kind: prompts, what makes them, their domain, difficulty of one step and of
# each more, tokens of an answer with one step and with each more.
STORIES = (inventory, shopping, wages, ages, travel, shares)
PLAN = [(130, make, "math", -4.2, 0.45, 90, 55) for make in STORIES] + [
    (260, program, "code", -2.6, 0.25, 80, 70),
    (160, conclusion, "reasoning", -2.6, 0.4, 90, 50)]
MOST_STEPS = 7


def main():
    chance = random.Random(20260)
    for count, make, domain, easiest, step, tokens, more_tokens in PLAN:
        for i in range(count):
            steps = 1 + i % MOST_STEPS
            made = make(chance, steps)
            prompt, harder = made if isinstance(made, tuple) else (made, 0)
            print(json.dumps({
                "prompt": prompt, "domain": domain,
                "difficulty": round(easiest + step * (steps - 1) + harder, 2),
                "source": "problems-" + make.__name__,
                "difficulty_weight": 16,  # the steps are known, not judged
                "answer_tokens": tokens + more_tokens * (steps - 1)}))


if __name__ == "__main__":
    main()
