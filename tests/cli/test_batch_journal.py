"""What a journal is good for besides kills: going on, refusing to go on with
something else, damage; F9, I14, K3."""

import json
import os
import re
import signal
import subprocess
import time
import unittest

import durable_batch
import harness
from durable_batch import JOURNAL, OUT, frames, lines_of

REFUSED = {"status": 400, "error": "no", "body": "question 3."}


class Resume(durable_batch.BatchCase):
    def refused(self, status, message, *args, **options):
        """Ends so, with nothing asked."""
        ended = self.go(*args, **options)
        self.assert_status(ended, status)
        self.assertIn(message, ended.err)
        self.assertEqual(self.asked.new(), [])
        return ended

    def half_done(self, *args, mode="file", status=0):
        """A batch that was killed half way. The output of a whole one."""
        results = self.count // 2
        out = self.half_done_at(results, *args, mode=mode, status=status)
        self.assertEqual(self.journaled(), set(range(results)))
        return out

    def half_done_at(self, results, *args, mode="file", status=0):
        """The same, killed after so many results."""
        self.assert_status(self.go(*args, mode=mode), status)
        out = self.read() if mode == "file" else b""
        self.clear()
        tracer = durable_batch.NOT_TRACED
        if tracer:
            self.skipTest(tracer)
        self.jobs, jobs = 1, self.jobs
        killed = self.go(*args, mode=mode, tracer=durable_batch.strace(
            "write", results + 2, paths=[self.path(JOURNAL)]))
        self.jobs = jobs
        self.assertEqual(killed.status, -signal.SIGKILL)
        self.asked.new()
        return out

    # --- a batch that has ended ---

    def test_a_batch_that_is_done_asks_nothing_and_ends_as_before(self):
        for rules, status in (((), 0), ((REFUSED,), 1)):
            self.prepare(rules)
            self.assert_status(self.go(), status)
            self.asked.new()
            before = self.save()
            again = self.go()
            self.assert_status(again, status)
            self.assertIn("nothing is asked again", again.err)
            self.assertEqual(self.asked.new(), [])
            self.assertEqual(self.save(), before)
            self.clear()

    def test_a_first_sync_that_is_due_at_once_holds_nobody_up(self):
        # The first record is journaled before a request is under way.
        config = harness.stub_config(self.stub(), {"m": {}})
        path = self.home.write("bad.jsonl", '{"promt":"x"}\n{"prompt":"y"}\n')
        result = self.run_llmroute(["batch", path, "-o", "bad.out"], config=config,
                                   timeout=20)
        self.assert_status(result, 1)

    def test_a_batch_that_is_done_tells_of_its_failed_records(self):
        self.prepare([REFUSED])
        self.assert_status(self.go(), 1)
        again = self.go()
        self.assert_status(again, 1)
        self.assertIn("nothing is asked again; 1 of 6 failed (--retry-errors asks "
                      "those again)", again.err)

    def test_I13_a_changed_or_missing_line_is_named_after_the_end_too(self):
        for rules, status in (((), 0), ((REFUSED,), 1)):
            self.prepare(rules)
            self.assert_status(self.go(), status)
            self.asked.new()
            before = self.read()
            lines = self.read("in.jsonl").splitlines(keepends=True)
            lines[1] = lines[1].replace(b"question 1.", b"question 88.")
            for changed, what in ((lines, "line 2 of the input is not what it was"),
                                  (lines[:1], "the input lost lines"),
                                  (lines[1:], "line 1 of the input is not what")):
                self.write_input(b"".join(changed))
                self.refused(65, what)
                self.assertEqual(self.read(), before)
            self.new_home()

    def test_I13_lost_lines_are_told_and_what_to_do_helps(self):
        blanked = lines_of(2) + "\n" + lines_of(3, first=3)
        for stop, results in ((self.half_done, 3),
                              (lambda: self.assert_status(self.go(), 0), 6)):
            for shorter, kept in ((lines_of(2), 2), (blanked, results - 1), ("", 0)):
                self.prepare()
                stop()
                whole = self.save()
                self.asked.new()
                self.write_input(shorter)
                ended = self.go()
                self.assert_status(ended, 65)
                new = self.asked.new()
                self.assertEqual(set(new) & set(range(results)), set())
                self.assertIn(
                    f"the input lost lines: of the {results} results in the journal "
                    f"{results - kept} have no line any more; put them back, or have "
                    "everything asked again, at full cost: with --force, or after "
                    f"removing '{JOURNAL}'\n", ended.err)
                self.assertIn("stopped; once the input is mended, the same command "
                              "goes on", ended.err)
                self.assertNotIn("match", ended.err)
                self.write_input(whole["in.jsonl"])  # put back
                self.assert_status(self.go(), 0)
                self.assertEqual(sorted(self.asked.new() + new),
                                 list(range(results, 6)))
                self.new_home()

    def test_I13_force_begins_anew_if_lines_were_lost_or_changed(self):
        changed = lines_of(1) + lines_of(1, first=7) + lines_of(4, first=2)
        for stop in (self.half_done, lambda: self.assert_status(self.go(), 0)):
            for other, numbers in ((lines_of(2), [0, 1]), (changed, [0, 7, 2, 3, 4, 5])):
                self.prepare()
                stop()
                before = len(self.journaled())
                self.asked.new()
                self.write_input(other)
                ended = self.go("--force")
                self.assert_status(ended, 0)
                self.assertIn(
                    f"the input is not what it was: the {before} results in '{JOURNAL}' "
                    "are dropped and everything is asked again, at full cost", ended.err)
                self.assertEqual(sorted(self.asked.new()), sorted(numbers))
                self.assertEqual([json.loads(line)["id"]
                                  for line in self.read().splitlines()],
                                 [f"row-{number}" for number in numbers])
                self.refused(0, "nothing is asked again")
                self.new_home()

    def test_force_goes_on_with_a_journal_that_fits(self):
        self.prepare(count=9)
        whole = self.undisturbed()
        self.write_input(lines_of(6))
        self.half_done()
        self.assert_status(self.go("--force"), 0)
        self.assertEqual(len(self.asked.new()), 2)
        self.write_input(lines_of(9))
        self.assert_status(self.go("--force"), 0)
        self.assertEqual(sorted(self.asked.new()), [6, 7, 8])
        self.assertEqual(self.read(), whole)
        self.refused(0, "nothing is asked again", "--force")

    def test_I13_force_wants_a_shorter_input_as_a_file(self):
        self.prepare()
        self.half_done()
        self.write_input(lines_of(2))
        self.refused(65, "with --force and the input as a file, or after removing",
                     "--force", mode="stdin")

    def test_an_accepted_change_of_other_options_hides_no_lost_line(self):
        self.prepare()
        self.half_done()
        self.write_input(lines_of(2))
        for args in ((), ("--max-tokens", "77"), ("--echo",)):
            self.refused(65, "the input lost lines", "--accept-config-change", *args)
        self.refused(0, "2 ok", "--accept-config-change", "--limit", "2")
        self.assertEqual(self.read().count(b"\n"), 2)

    def test_a_batch_without_records_says_so(self):
        self.prepare()
        self.write_input("\n")
        for args in ((), ("-o", "-")):
            self.refused(0, "no records", *args)
        self.assertNotIn("no records", self.go("-q", "--force").err)

    def test_a_journal_of_another_format_is_named(self):
        self.prepare()
        self.half_done()
        head, rest = self.read(JOURNAL).split(b"\n", 1)
        head = head[18:].replace(b'"version":2', b'"version":1')
        self.home.write("work/" + JOURNAL, durable_batch.frame_line(head) + rest)
        self.refused(65, "has format 1; this program knows 2")

    def test_I13_lines_that_were_appended_after_the_end_are_asked(self):
        for rules, status in (((), 0), ((REFUSED,), 1)):
            for args in ((), ("--match", "id"), ("--unordered", "-j", "1")):
                self.prepare(rules, count=9)
                whole = self.undisturbed(*args, status=status)
                self.write_input(lines_of(6))
                self.assert_status(self.go(*args), status)
                self.asked.new()
                self.write_input(lines_of(9))
                self.assert_status(self.go(*args), status)
                self.assertEqual(sorted(self.asked.new()), [6, 7, 8])
                self.assertEqual(self.read(), whole)
                self.refused(status, "nothing is asked again", *args)
                self.new_home()

    def test_G6_a_kill_among_lines_appended_after_the_end_loses_nothing(self):
        self.prepare(count=9)
        whole = self.undisturbed()
        self.write_input(lines_of(6))
        self.assert_status(self.go(), 0)
        self.write_input(lines_of(9))
        tracer = durable_batch.NOT_TRACED
        if tracer:
            self.skipTest(tracer)
        self.jobs = 1
        killed = self.go(tracer=durable_batch.strace(
            "write", 2, paths=[self.path(JOURNAL)]))
        self.assertEqual(killed.status, -signal.SIGKILL)
        self.asked.new()
        self.assert_status(self.go(), 0)
        self.assertEqual(sorted(self.asked.new()), [7, 8])
        self.assertEqual(self.read(), whole)

    def test_lines_that_moved_after_the_end_are_found_by_id(self):
        self.prepare()
        self.assert_status(self.go("--match=id"), 0)
        self.asked.new()
        whole = [json.loads(line) for line in self.read().splitlines()]
        lines = self.read("in.jsonl").splitlines(keepends=True)
        self.write_input(b"".join(lines[:0:-1]))
        self.refused(0, "5 ok", "--match=id")
        self.assertEqual([json.loads(line) for line in self.read().splitlines()],
                         [r | {"line": i} for i, r in enumerate(whole[:0:-1], 1)])

    def test_a_finished_input_on_stdin_is_compared_as_well(self):
        self.prepare()
        self.assert_status(self.go(), 0)
        self.asked.new()
        words = self.home.command(["batch", "-o", OUT, "--no-timing", "-c", self.config])
        run = lambda **where: subprocess.run(
            words, cwd=self.work, env=self.home.environment(), timeout=60,
            capture_output=True, **where)
        self.assertEqual(run(input=lines_of(6).encode()).returncode, 0)
        more = run(input=lines_of(7).encode())  # a pipe cannot be read again
        self.assertEqual(more.returncode, 65, more.stderr)
        self.assertIn(b"give it as a file", more.stderr)
        self.assertEqual(self.asked.new(), [])
        self.write_input(lines_of(7))
        with open(self.input, "rb") as file:
            self.assertEqual(run(stdin=file).returncode, 0)
        self.assertEqual(self.asked.new(), [6])

    def test_an_output_that_changed_afterwards_is_refused_and_forced(self):
        self.prepare()
        self.assert_status(self.go(), 0)
        whole = self.read()
        self.asked.new()
        self.home.write("work/" + OUT, whole + b"mine\n")
        self.refused(73, "--force")
        self.assertEqual(self.read(), whole + b"mine\n")
        self.home.write("work/" + OUT, "mine\n")
        self.assert_status(self.go("--force"), 0)
        self.assertEqual(len(self.asked.new()), self.count)
        self.assertEqual(self.read(), whole)

    def test_an_output_that_was_taken_away_is_made_again(self):
        self.prepare([REFUSED])
        args = ("--errors", "bad.jsonl")
        self.assert_status(self.go(*args), 1)
        self.asked.new()
        before = self.save()
        for gone in ((OUT,), ("bad.jsonl",), (OUT, "bad.jsonl")):
            for name in gone:
                os.unlink(self.path(name))
            self.refused(1, "1 failed", *args)
            after = self.save()
            self.assertEqual([after[n] for n in (OUT, "bad.jsonl")],
                             [before[n] for n in (OUT, "bad.jsonl")])
            self.assertEqual(sorted(after), sorted(before))
        self.refused(1, "nothing is asked again", *args)
        os.unlink(self.path("bad.jsonl"))
        self.home.write("work/" + OUT, "mine\n")
        self.refused(73, "--force", *args)
        self.assertEqual(self.read(), b"mine\n")

    def test_what_was_taken_away_is_no_hindrance_to_what_is_asked_anew(self):
        """Errors that are to be retried, and lines that were appended."""
        for gone in ("bad.jsonl", OUT):
            for more in (("--retry-errors",), ()):
                self.prepare([REFUSED])
                args = ("--errors", "bad.jsonl")
                self.assert_status(self.go(*args), 1)
                os.unlink(self.path(gone))
                if not more:
                    with open(self.path("in.jsonl"), "ab") as file:
                        file.write(b'{"prompt":"one more"}\n')
                ended = self.go(*args, *more)
                if ended.status == 73:  # whose errors are they?
                    self.assertEqual(gone, OUT)
                    self.asked.new()
                    ended = self.go(*args, *more, "--force")
                    self.assertEqual(self.asked.new(), [])
                self.assertIn(ended.status, (0, 1), ended.err)
                count = self.count + (not more)
                self.assertEqual(self.read().count(b"\n") +
                                 self.read("bad.jsonl").count(b"\n"), count)
                self.asked.new()
                self.assert_status(self.go(*args), ended.status)
                self.assertEqual(self.asked.new(), [])
                self.clear()

    def test_what_others_made_where_an_output_was_taken_away_is_not_replaced(self):
        self.prepare([REFUSED])
        args = ("--errors", "bad.jsonl")
        self.assert_status(self.go(*args), 1)
        os.unlink(self.path(OUT))
        self.home.write("work/bad.jsonl", "mine\n")
        self.assert_status(self.go(*args), 73)
        self.assertEqual(self.read("bad.jsonl"), b"mine\n")
        self.assert_status(self.go(*args, "--force"), 1)
        self.asked.new()
        self.refused(1, "nothing is asked again", *args)

    def test_force_drops_no_result_before_all_is_open(self):
        self.prepare()
        args = ("--errors", "bad.jsonl", "--force")
        self.assert_status(self.go(*args), 0)
        with open(self.path("in.jsonl"), "rb+") as file:
            file.write(b" ")  # another first line
        journal = self.read(JOURNAL)
        os.mkdir(self.path("bad.jsonl.part"))
        self.assert_status(self.go(*args), 73)
        self.assertEqual(self.read(JOURNAL), journal)
        os.rmdir(self.path("bad.jsonl.part"))

    def test_an_output_made_by_others_during_the_batch_is_not_replaced(self):
        self.prepare()
        whole = self.half_done()
        self.home.write("work/" + OUT, "mine\n")
        ended = self.go()
        self.assert_status(ended, 73)
        self.assertIn(OUT + ".part", ended.err)
        self.assertEqual(self.read(), b"mine\n")
        self.assertEqual(self.read(OUT + ".part"), whole)
        os.unlink(self.path(OUT))
        self.asked.new()
        self.assert_status(self.go(), 0)
        self.assertEqual(self.asked.new(), [])
        self.assertEqual(self.read(), whole)

    # --- going on with something else ---

    def test_a_changed_input_line_is_named(self):
        self.prepare()
        self.half_done()
        lines = self.read("in.jsonl").replace(b"question 1.", b"question 1!")
        self.write_input(lines)
        self.refused(65, "line 2 ")

    def test_lines_that_moved_are_found_by_id(self):
        self.prepare()
        self.half_done("--match", "id")
        lines = self.read("in.jsonl").splitlines(keepends=True)
        new = b'{"id":"new","prompt":"question 77."}\n'
        self.write_input(b"".join([new, *reversed(lines)]))
        self.assert_status(self.go("--match=id"), 0)
        self.assertEqual(sorted(self.asked.new()), [3, 4, 5, 77])
        found = [json.loads(line) for line in self.read().splitlines()]
        self.assertEqual([r["id"] for r in found], ["new"] + [
            f"row-{i}" for i in (5, 4, 3, 2, 1, 0)])
        self.assertEqual([r["line"] for r in found], list(range(1, 8)))

    def test_what_came_with_a_line_that_moved_stays_as_it_is(self):
        self.prepare([{"text": "one"}])
        meta = {"a": 1, "line": 1, "text": "x"}
        lines = [json.dumps({"id": name, "prompt": "x", "meta": meta},
                            separators=(",", ":")) + "\n" for name in "ab"]
        self.write_input("".join(lines))
        self.assert_status(self.go("--match=id", "--echo"), 0)
        self.write_input("".join(reversed(lines)))
        self.refused(0, "2 ok", "--match=id", "--echo")
        found = [json.loads(line) for line in self.read().splitlines()]
        self.assertEqual([(r["id"], r["line"], r["meta"], r["input"]["meta"])
                          for r in found],
                         [("b", 1, meta, meta), ("a", 2, meta, meta)])

    def test_ids_of_lines_that_moved_are_those_of_their_new_places(self):
        for url, body in (("/v1/chat/completions",
                           {"messages": [{"role": "user", "content": "one"}]}),
                          ("/v1/responses", {"input": "one"})):
            self.prepare([{"text": "[\"line\":1,_1_"}])
            lines = [json.dumps({"custom_id": name, "method": "POST", "url": url,
                                 "body": body}) + "\n" for name in "abc"]
            self.write_input("".join(lines))
            self.assert_status(self.go("--match=id"), 0)
            self.write_input("".join(reversed(lines)))
            self.refused(0, "3 ok", "--match=id")
            moved = self.read()
            self.clear()
            self.assert_status(self.go("--match=id"), 0)
            nth = rb'"request_id":"\w+"'  # in the order of asking
            self.assertEqual(re.sub(nth, b"", moved), re.sub(nth, b"", self.read()))
            self.new_home()

    def test_a_changed_request_is_asked_again_when_found_by_id(self):
        self.prepare()
        self.half_done("--match", "id")
        self.write_input(self.read("in.jsonl").replace(b"question 1.",
                                                       b"question 88."))
        self.assert_status(self.go("--match=id"), 0)
        self.assertEqual(sorted(self.asked.new()), [3, 4, 5, 88])

    def test_I8_a_duplicate_id_stays_one_when_found_by_id(self):
        self.prepare(count=8)
        twice = lines_of(3) + lines_of(2) + lines_of(3, first=3)
        self.write_input(twice)
        whole = self.half_done("--match", "id", status=1)
        self.assertEqual(whole.count(b"duplicate_id"), 2)
        self.assert_status(self.go("--match=id"), 1)
        self.assertEqual(sorted(self.asked.new()), [4, 5])
        self.assertEqual(self.read(), whole)

    def test_I8_a_line_that_cannot_be_read_takes_no_id_resumed_or_not(self):
        for match in ("line", "id"):
            self.prepare(count=2)
            self.write_input('{"id":"row-0","promt":1}\n' + lines_of(2))
            whole = self.half_done_at(1, "--match", match, status=1)
            self.assertEqual(whole.count(b"duplicate_id"), 0)
            self.assert_status(self.go("--match", match), 1)
            self.assertEqual(self.read(), whole)
            self.new_home()

    def test_a_changed_configuration_is_refused_or_accepted(self):
        self.prepare()
        self.half_done()
        other = f"{JOURNAL} belongs to a batch with another "
        ways = "; --accept-config-change goes on with this one, or remove it"
        for args, what in ((["--max-tokens", "77"], "--max-tokens"),
                           (["--echo", "-O", "top_k=3"], "--echo, -O top_k"),
                           (["-O", "seed=3"], "-O seed"),
                           (["--seed", "4", "-O", "seed=3"], "--seed, -O seed"),
                           (["--limit", "3", "--system", "s"], "--limit, --system"),
                           (["-m", "m", "--tag", "a=b"], "--model, --tag a"),
                           (["--out=native"], "--out")):
            self.refused(78, other + what + ways, *args)
        self.refused(78, other + "--match; remove it", "--match=id")
        more = self.read(self.config).replace(b"ability = ", b"ability = 1")
        self.home.write("work/more.toml", more)
        self.refused(78, other + "configuration" + ways, "-c", "more.toml")
        ended = self.go("--max-tokens", "77", "--accept-config-change")
        self.assert_status(ended, 0)
        self.assertEqual(sorted(self.asked.new()), [3, 4, 5])

    def test_the_summary_tells_what_earlier_runs_did(self):
        self.prepare()
        self.half_done()
        ended = self.go(mode="file")
        self.assertRegex(ended.err, r"records  6 ok, 0 failed in [\d.]+ s, [\d.]+/s; 3 "
                                    r"from earlier runs\n")
        self.assertNotIn("slowest", ended.err)  # of --no-timing

    def test_limits_pace_and_keys_are_no_change(self):
        self.prepare()
        whole = self.half_done()
        self.assert_status(self.go("--timeout", "77s", "--rpm", "100000",
                                   "--fsync", "always",
                                   env={"STUB_KEY": "another-" + harness.KEY}), 0)
        self.assertEqual(sorted(self.asked.new()), [3, 4, 5])
        self.assertEqual(self.read(), whole)

    # --- errors ---

    def test_retry_errors_asks_for_those_only(self):
        self.prepare([REFUSED | {"times": 2}])
        self.assert_status(self.go(), 1)
        self.asked.new()
        for status in (1, 0):
            self.assert_status(self.go("--retry-errors"), status)
            self.assertEqual(self.asked.new(), [3])
        self.assertEqual(self.read().count(b'"error":null'), self.count)
        self.refused(0, "", "--retry-errors")

    def test_retry_errors_needs_a_journal(self):
        self.prepare()
        self.refused(64, "--journal", "--retry-errors", "-o", "-")

    # --- damage ---

    def test_a_torn_last_frame_is_cut_off(self):
        self.prepare()
        whole = self.half_done()
        journal = self.read(JOURNAL)
        last = journal[:-1].rfind(b"\n") + 1
        for cut in (last + 1, last + 20, len(journal) - 1):
            self.clear()
            self.home.write("work/" + JOURNAL, journal[:cut])
            self.assert_status(self.go(), 0)
            self.assertEqual(sorted(self.asked.new()), [2, 3, 4, 5])
            self.assertEqual(self.read(), whole)

    def test_damage_in_the_middle_is_refused_and_repaired(self):
        self.prepare()
        whole = self.half_done()
        journal = bytearray(self.read(JOURNAL))
        second = journal.index(b"\n", journal.index(b"\n") + 1) + 1
        journal[second + 200] ^= 1
        self.home.write("work/" + JOURNAL, bytes(journal))
        self.refused(65, "--repair")
        self.assertEqual(self.read(JOURNAL), bytes(journal))
        self.assert_status(self.go("--repair"), 0)
        self.assertEqual(sorted(self.asked.new()), [1, 3, 4, 5])
        self.assertEqual(self.read(), whole)

    def test_F12_a_hole_that_a_loss_of_power_left_is_no_damage(self):
        self.prepare()
        whole = self.half_done()
        journal = self.read(JOURNAL)
        second = journal.index(b"\n", journal.index(b"\n") + 1) + 1
        third = journal.index(b"\n", second) + 1
        for begin, end in ((second, third), (second, third + 9),
                           (second + 30, third - 30)):
            self.clear()
            self.home.write("work/" + JOURNAL,
                            journal[:begin] + bytes(end - begin) + journal[end:])
            self.assert_status(self.go(), 0)
            self.assertEqual(self.read(), whole)
            asked = self.asked.new()
            self.assertIn(1, asked)
            self.assertNotIn(0, asked)

    def test_what_is_no_journal_is_left_alone(self):
        self.prepare()
        self.home.write("work/notes", "my notes\n")
        self.refused(65, "not a journal", "--journal", "notes")
        self.assertEqual(self.read("notes"), b"my notes\n")

    # --- stdout ---

    def test_stdout_with_a_journal_is_printed_again_as_a_whole(self):
        self.prepare()
        expected = self.undisturbed(mode="stdout")
        self.half_done(mode="stdout")
        for asked in ([3, 4, 5], []):
            ended = self.go(mode="stdout")
            self.assert_status(ended, 0)
            self.assertEqual(ended.out, expected)
            self.assertEqual(sorted(self.asked.new()), asked)


class Outputs(durable_batch.BatchCase):
    def refused(self, status, message, *args, **options):
        before = sorted(os.listdir(self.work))
        ended = self.go(*args, **options)
        self.assert_status(ended, status)
        self.assertIn(message, ended.err)
        self.assertEqual(self.asked.new(), [])
        self.assertEqual(sorted(os.listdir(self.work)), before)

    def test_F9_an_output_that_exists_needs_force(self):
        self.prepare()
        self.home.write("work/" + OUT, "mine\n")
        for _ in range(2):  # the first leaves nothing for the second
            self.refused(73, "--force")
        self.assertEqual(self.read(), b"mine\n")
        self.assert_status(self.go("--force"), 0)
        self.assertEqual(self.read().count(b"\n"), self.count)

    def test_F9_so_does_a_file_of_errors(self):
        self.prepare()
        self.home.write("work/bad.jsonl", "mine\n")
        for _ in range(2):
            self.refused(73, "--force", "--errors", "bad.jsonl")

    def test_F9_a_directory_is_refused(self):
        self.prepare()
        os.mkdir(self.path(OUT))
        for args in ((), ("--force",)):
            self.refused(73, "directory", *args)
        os.rmdir(self.path(OUT))

    def test_F9_a_link_leads_to_its_target(self):
        self.prepare()
        os.mkdir(self.home.file("elsewhere"))
        target = self.home.write("elsewhere/real.jsonl", "mine\n")
        os.symlink(target, self.path(OUT))
        self.refused(73, "--force")
        self.assert_status(self.go("--force"), 0)
        self.assertTrue(os.path.islink(self.path(OUT)))
        with open(target, "rb") as file:
            self.assertEqual(file.read().count(b"\n"), self.count)
        self.asked.new()
        self.assert_status(self.go(), 0)
        self.assertEqual(self.asked.new(), [])

    def test_F9_a_fifo_is_written_directly(self):
        self.prepare()
        expected = self.undisturbed()
        os.mkfifo(self.path(OUT))
        for args, asked in (((), 6), (("--journal", "j"), 6),
                            (("--journal", "j"), 0)):
            with subprocess.Popen(["cat", self.path(OUT)],
                                  stdout=subprocess.PIPE) as reader:
                self.assert_status(self.go(*args), 0)
                self.assertEqual(reader.communicate(timeout=60)[0], expected)
            self.assertEqual(len(self.asked.new()), asked)
        self.assertFalse(self.exists(JOURNAL))

    def test_F9_a_device_is_written_directly(self):
        self.prepare()
        self.assert_status(self.go("-o", "/dev/null"), 0)
        ended = self.go("-o", "/dev/full")
        self.assert_status(ended, 74)

    def test_I14_the_output_is_the_input(self):
        self.prepare()
        before = self.read("in.jsonl")
        self.refused(73, "also the input", "--force", "-o", "in.jsonl")
        self.refused(73, "also the input", "--errors", "in.jsonl")
        self.refused(73, "also the input", "--journal", "in.jsonl")
        os.link(self.path("in.jsonl"), self.path("same.part"))
        self.refused(73, "also the input", "-o", "same")
        with open(self.path("in.jsonl"), "ab") as appended:
            self.refused(73, "also the input", "-o", "-", stdout=appended)
        self.assertEqual(self.read("in.jsonl"), before)

    def test_two_outputs_are_two_files(self):
        self.prepare()
        self.refused(64, "two things", "--errors", OUT)
        self.refused(64, "two things", "--journal", OUT + ".part")
        self.refused(64, "two things", "--summary", OUT)

    def test_two_names_of_one_file_are_one_file(self):
        self.prepare()
        self.refused(64, "two things", "--errors", "./" + OUT)
        self.refused(64, "two things", "--summary", self.path(OUT))
        self.refused(64, "two things", "--summary", OUT + ".llmroute-journal")
        self.refused(64, "two things", "-o", "-", "--errors", "-")
        self.refused(64, "two things", "--errors", "-", "--summary", "-")
        os.symlink(self.work, self.home.file("alias"))
        self.refused(64, "two things", "--errors", self.home.file("alias", OUT))
        self.home.write("work/one", "")
        os.link(self.path("one"), self.path("other"))
        self.refused(64, "two things", "--force", "-o", "one", "--errors", "other")
        with open(self.path("one"), "ab") as stdout:
            for option in ("--summary", "--errors", "--journal"):
                self.refused(64, "two things", "-o", "-", option, "other", stdout=stdout)

    def test_errors_and_summary_on_stdout(self):
        self.prepare()
        with open(self.path("in.jsonl"), "ab") as more:
            more.write(b"{\n")
        ended = self.go("--errors", "-")
        self.assert_status(ended, 1)
        self.assertEqual([json.loads(line)["error"]["code"] for line in ended.out.splitlines()],
                         ["bad_json"])
        self.assertEqual(self.read().count(b"\n"), self.count)
        ended = self.go("--force", "-o", "other.jsonl", "--summary", "-")
        self.assert_status(ended, 1)
        self.assertEqual(ended.json()["failed"], 1)
        self.assertFalse(self.exists("-"))

    def start_one_that_waits(self, *args):
        first = subprocess.Popen(
            self.words(*args), env=self.home.environment(), cwd=self.work,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(harness._end, first)
        until = time.monotonic() + 20
        while not self.asked.new() and time.monotonic() < until:
            time.sleep(0.01)
        self.server.requests(wait=0.2)
        return first

    def test_K3_two_batches_with_one_file_of_errors(self):
        self.prepare([{"delay_headers_ms": 60_000, "times": 2}])
        with open(self.path("in.jsonl"), "ab") as more:
            more.write(b"{\n")
        first = self.start_one_that_waits("--errors", "bad.jsonl")
        before = len(self.server.requests(wait=0))
        ended = self.go("-o", "other.jsonl", "--errors", "./bad.jsonl")
        self.assert_status(ended, 75)
        self.assertIn(f"in use by process {first.pid}", ended.err)
        self.assertEqual(len(self.server.requests(wait=0)), before)
        first.kill()
        first.wait()
        for out in (OUT, "other.jsonl"):
            self.assert_status(self.go("-o", out, "--errors", "bad.jsonl", "--force"), 1)
            self.assertEqual(self.read("bad.jsonl").count(b"\n"), 1)

    def test_K3_who_was_refused_at_an_output_does_not_own_it(self):
        """Nor pay for what it then may not write."""
        self.prepare([{"delay_headers_ms": 60_000, "times": 2}])
        first = self.start_one_that_waits()
        args = ("--journal", "other.journal")
        self.assert_status(self.go(*args), 75)
        self.assertFalse(os.path.exists(self.path("other.journal")))
        first.kill()
        first.wait()
        self.assert_status(self.go(), 0)
        self.asked.new()
        self.refused(73, "--force", *args)

    def test_K3_the_second_batch_on_an_output_is_told_who_is_first(self):
        self.prepare([{"delay_headers_ms": 60_000, "times": 2}])
        first = self.start_one_that_waits()
        ended = self.go()
        self.assert_status(ended, 75)
        self.assertIn(f"process {first.pid}", ended.err)
        first.kill()
        first.wait()
        self.assert_status(self.go(), 0)
        self.assertEqual(self.read().count(b"\n"), self.count)


if __name__ == "__main__":
    unittest.main()
