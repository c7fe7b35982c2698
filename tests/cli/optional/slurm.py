"""examples/batch-slurm.sh under Slurm itself: a cluster of this machine alone.

    LLMROUTE_OPTIONAL_TESTS=1 python3 tests/cli/optional/slurm.py -v

Needs Debian's slurm-wlm and munge, and root, because slurmd runs jobs as their
users. The daemons are started here, without systemd, on ports, sockets and
directories of their own, and stopped at the end.
"""

import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import harness  # pylint: disable=wrong-import-position
from sharding import ShardingCase  # pylint: disable=wrong-import-position

CONFIG = """
ClusterName=one
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SchedulerParameters=sched_interval=1
ReturnToService=2
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} State=UNKNOWN
PartitionName=all Nodes={host} Default=YES State=UP OverSubscribe=FORCE:8
"""


class Cluster:
    """munged, slurmctld and slurmd, until stop()."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="llmroute-slurm-")
        # munged wants directories above its socket that anyone may pass.
        os.chmod(self.folder, 0o755)
        self.daemons = []
        self.config = self.file("slurm.conf")
        for name in ("state", "spool"):
            os.mkdir(self.file(name))
        pathlib.Path(self.config).write_text(CONFIG.format(
            host=socket.gethostname().split(".")[0], folder=self.folder,
            ports=(harness.closed_port(), harness.closed_port()),
            cpus=os.cpu_count()), encoding="utf-8")
        key = self.file("munge.key")
        with open(os.open(key, os.O_CREAT | os.O_WRONLY, 0o400), "wb") as file:
            file.write(os.urandom(1024))
        self.environment = dict(os.environ, SLURM_CONF=self.config)
        self.start("munged", "--foreground", "--force", f"--key-file={key}",
                   *(f"--{what}={self.file('munge.' + end)}" for what, end in (
                       ("socket", "socket"), ("pid-file", "pid"),
                       ("log-file", "log"), ("seed-file", "seed"))))
        self.wait_for(lambda: os.path.exists(self.file("munge.socket")))
        self.start("slurmctld", "-D", "-i")
        self.start("slurmd", "-D")
        self.wait_for(self.is_idle)

    def file(self, name):
        return os.path.join(self.folder, name)

    def start(self, *argv):
        with open(self.file(argv[0] + ".out"), "wb") as out:
            self.daemons.append(subprocess.Popen(
                argv, env=self.environment, stdin=subprocess.DEVNULL, stdout=out,
                stderr=out))

    def is_idle(self):
        return "idle" in subprocess.run(
            ["sinfo", "--noheader", "--format=%T"], env=self.environment,
            capture_output=True, text=True, check=False).stdout

    def wait_for(self, done):
        end = time.monotonic() + 30
        while not done():
            if time.monotonic() > end:
                said = "".join(f"{path.name}: {path.read_text()[-600:]}\n"
                               for path in pathlib.Path(self.folder).glob("*.out"))
                self.stop()
                raise AssertionError(f"the cluster did not come up\n{said}")
            time.sleep(0.1)

    def stop(self):
        for daemon in reversed(self.daemons):
            daemon.terminate()
            try:
                daemon.wait(20)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


@unittest.skipUnless(os.environ.get("LLMROUTE_OPTIONAL_TESTS") == "1",
                     "set LLMROUTE_OPTIONAL_TESTS=1 (starts daemons of Slurm)")
@unittest.skipUnless(all(map(shutil.which, ("sbatch", "slurmd", "munged"))),
                     "slurm-wlm and munge are not installed")
@unittest.skipUnless(os.geteuid() == 0, "slurmd runs as root only")
class Slurm(ShardingCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster()
        cls.addClassCleanup(cls.cluster.stop)

    def setUp(self):
        super().setUp()
        self.env = {"SLURM_CONF": self.cluster.config}

    def test_all_parts_together_are_the_bytes_of_the_whole(self):
        self.check_whole("batch-slurm.sh", 4, env=self.env)

    def test_records_that_failed_are_in_their_places(self):
        self.check_failed_records("batch-slurm.sh", env=self.env)

    def test_a_ceiling_stops_it_and_a_higher_one_goes_on(self):
        self.check_ceiling("batch-slurm.sh", env=self.env)


if __name__ == "__main__":
    unittest.main()
