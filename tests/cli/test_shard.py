"""`batch --shard`: parts of an input, by hand, by a scheduler's variables, and
under GNU parallel."""

import json
import os
import re
import shutil
import unittest

from sharding import RECORDS, ShardingCase

# A task of an array: index, first, last, step.
SCHEDULERS = {
    "Slurm": ("SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_MIN",
              "SLURM_ARRAY_TASK_MAX", "SLURM_ARRAY_TASK_STEP"),
    "Grid Engine": ("SGE_TASK_ID", "SGE_TASK_FIRST", "SGE_TASK_LAST",
                    "SGE_TASK_STEPSIZE"),
    "LSF": ("LSB_JOBINDEX", "LSB_JOBINDEX_START", "LSB_JOBINDEX_END",
            "LSB_JOBINDEX_STEP"),
}


def without_request_ids(lines):
    """They are the server's, which counts requests."""
    return re.sub(rb'"request_id":"[^"]*"', b"", lines)


class Shard(ShardingCase):
    def part(self, shard, env=None):
        result = self.run_llmroute(
            ["batch", "--no-timing", "--shard", shard, "in.jsonl"], env=env)
        self.assert_status(result, 0)
        return result.out.splitlines(keepends=True)

    def test_parts_hold_every_nth_line_with_the_numbers_of_the_whole(self):
        whole = self.unsharded().splitlines(keepends=True)
        for parts in (1, 2, 5, RECORDS + 2):
            for k in range(1, parts + 1):
                self.assertEqual(self.part(f"{k}/{parts}"), whole[k - 1::parts])

    def test_auto_reads_the_variables_of_each_scheduler(self):
        whole = self.unsharded().splitlines(keepends=True)
        for scheduler, names in SCHEDULERS.items():
            for index, first, last, step in ((1, 1, 4, 1), (3, 1, 4, 1),
                                             (0, 0, 2, 1), (2, 0, 2, 1),
                                             (15, 5, 25, 10)):
                with self.subTest(scheduler, index=index, last=last):
                    env = dict(zip(names, map(str, (index, first, last, step))))
                    k = (index - first) // step
                    parts = (last - first) // step + 1
                    self.assertEqual(self.part("auto", env), whole[k::parts])

    def test_auto_outside_of_an_array_is_refused(self):
        slurm = SCHEDULERS["Slurm"]
        for env in ({}, {"SGE_TASK_ID": "undefined"},
                    {slurm[0]: "3"}, {slurm[0]: "x", slurm[2]: "4"},
                    {slurm[0]: "9", slurm[1]: "1", slurm[2]: "4"},
                    {"LSB_JOBINDEX": "0"}):
            with self.subTest(env):
                result = self.run_llmroute(["batch", "--shard", "auto", "in.jsonl"],
                                           env=env)
                self.assert_status(result, 64)
                self.assertIn("--shard K/N", result.err)

    def test_auto_in_an_array_with_gaps_is_refused(self):
        """`sbatch --array=1,2,7`: nobody would ask the records of the others."""
        env = {"SLURM_ARRAY_TASK_ID": "2", "SLURM_ARRAY_TASK_MIN": "1",
               "SLURM_ARRAY_TASK_MAX": "7", "SLURM_ARRAY_TASK_STEP": "1"}
        for count in ("3", "x"):
            result = self.run_llmroute(["batch", "--shard", "auto", "in.jsonl"],
                                       env=env | {"SLURM_ARRAY_TASK_COUNT": count})
            self.assert_status(result, 64)
            self.assertIn(f"has {count} tasks where 1 to 7 are 7", result.err)
        self.part("auto", env | {"SLURM_ARRAY_TASK_COUNT": "7"})

    def test_auto_of_a_job_of_gnu_parallel(self):
        whole = self.unsharded().splitlines(keepends=True)
        for k in (1, 2, 3):
            self.assertEqual(self.part("auto/3", {"PARALLEL_SEQ": str(k)}), whole[k - 1::3])
        for shard, env, why in (("auto/3", {}, "PARALLEL_SEQ is not set"),
                                ("auto/3", {"PARALLEL_SEQ": "4"}, "PARALLEL_SEQ is 4, not 1 to 3"),
                                ("auto/3", {"PARALLEL_SEQ": "x"}, "PARALLEL_SEQ is x"),
                                ("auto/0", {"PARALLEL_SEQ": "1"}, "auto/N with N >= 1")):
            result = self.run_llmroute(["batch", "--shard", shard, "in.jsonl"], env=env)
            self.assert_status(result, 64)
            self.assertIn(why, result.err)

    def test_a_shard_that_is_none_is_refused(self):
        for shard in ("0/3", "4/3", "1", "1/0", "a/b", "-1/3", "1/3/5", ""):
            with self.subTest(shard):
                result = self.run_llmroute(["batch", "--shard", shard, "in.jsonl"])
                self.assert_status(result, 64)

    def test_the_ceiling_is_split(self):
        result = self.run_llmroute(["batch", "--shard", "1/4", "--max-cost", "0.002",
                                    "in.jsonl"])
        self.assert_status(result, 4)
        self.assertIn("$0.000500", result.err)


class Parallel(ShardingCase):
    def setUp(self):
        if not shutil.which("parallel"):
            self.skipTest("GNU parallel is not installed")
        super().setUp()

    def test_all_parts_together_are_the_bytes_of_the_whole(self):
        self.check_whole("batch-parallel.sh", 4)

    def test_wrong_arguments_are_named_before_anything_runs(self):
        self.write_input(self.records[:2])
        for args, words in (((), "three arguments are needed"),
                            (("in.jsonl", 2, "out.jsonl"),
                             "the number of parts must be 1 or more, not 'in.jsonl'"),
                            ((2, "no.jsonl", "out.jsonl"), "cannot read 'no.jsonl'")):
            done = self.example("batch-parallel.sh", *args)
            self.assertEqual(done.returncode, 64)
            self.assertIn(f"batch-parallel: {words}\nusage: ", done.stderr)

    def test_more_parts_than_records(self):
        self.write_input(self.records[:2])
        expected = self.unsharded()
        done = self.example("batch-parallel.sh", 3, "in.jsonl", "out.jsonl",
                            "--no-timing")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.read("out.jsonl"), expected)

    def test_parts_on_named_hosts(self):
        # ":" is this machine, without ssh.
        self.check_whole("batch-parallel.sh", 3, env={"SSHLOGIN": "2/:"})

    def test_options_with_blanks_and_quotes_arrive(self):
        expected = self.unsharded("--system", "It's \"short\"; $HOME")
        done = self.example("batch-parallel.sh", 2, "in.jsonl", "out.jsonl",
                            "--no-timing", "--system", "It's \"short\"; $HOME")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.read("out.jsonl"), expected)
        systems = {request.json()["messages"][0]["content"]
                   for request in self.server.requests()}
        self.assertEqual(systems, {"It's \"short\"; $HOME"})

    def test_records_that_failed_are_in_their_places(self):
        self.check_failed_records("batch-parallel.sh")

    def test_errors_of_all_parts_are_in_one_file(self):
        """Each in the order of the input, in both forms."""
        bad = [{}, {"id": "x\",\"line\":7,", "promt": ""}, {"custom_id": "c", "url": "/v1/no"},
               {"custom_id": "d", "method": "POST", "url": "/v1/chat/completions",
                "body": {"messages": [{"role": "user", "content": "Hi"}]}}]
        records = list(self.records)
        for place, one in zip((0, 7, 8, 15), bad):
            records.insert(place, json.dumps(one))
        self.write_input(records)
        for n, options in enumerate([(), ("--no-extras",), ("--out", "openai", "--no-extras")]):
            ok, errors = f"out{n}.jsonl", f"bad{n}.jsonl"
            whole = self.run_llmroute(["batch", "--no-timing", "in.jsonl", "--errors", "all.bad",
                                       "--force", *options])
            self.assert_status(whole, 1)
            given = [f"--errors={errors}"] if n else ["--errors", errors]
            done = self.example("batch-parallel.sh", 3, "in.jsonl", ok, "--no-timing", *given,
                                *options)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertEqual(without_request_ids(self.read(ok)), without_request_ids(whole.out))
            self.assertEqual(self.read(errors), self.read("all.bad"))

    def test_a_ceiling_stops_it_and_a_higher_one_goes_on(self):
        self.check_ceiling("batch-parallel.sh")

    def test_a_part_that_stopped_makes_no_output(self):
        """With the status of records that failed, and without its file."""
        self.write_input(["{}", *self.records])
        command = ("batch-parallel.sh", 2, "in.jsonl", "out.jsonl", "--no-timing")
        done = self.example(*command, "--max-errors", "0")
        self.assertEqual(done.returncode, 75, done.stderr)
        self.assertIn("part 1 stopped before its end; the same command goes on", done.stderr)
        self.assertFalse(os.path.exists(self.home.file("work/out.jsonl")))
        done = self.example(*command)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual(self.read("out.jsonl").count(b"\n"), len(self.records) + 1)

    def test_a_changed_input_makes_no_output(self):
        self.check_whole("batch-parallel.sh", 2)
        self.write_input(["{\"prompt\":\"other\"}", *self.records])
        done = self.example("batch-parallel.sh", 3, "in.jsonl", "out.jsonl",
                            "--no-timing")
        self.assertGreater(done.returncode, 1)


if __name__ == "__main__":
    unittest.main()
