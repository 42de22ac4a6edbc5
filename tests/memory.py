"""memory.py FLINKTAIL [MIB]

Memory does not grow with what is read: a log of this size (96 MiB where it is not given; 1024 takes a release build less
than a minute), written on its way through a pipe from a recorded one, and a line that never ends, each with less than 64 MiB
held at any time. And a log in which nothing happens, with its one job, costs no more than QUIET.
"""

import gzip
import os
import re
import subprocess
import sys
import tempfile
import urllib.request

LIMIT = 64 << 20
# Bytes for each quiet log beyond what the program itself takes, scrapes included; 4.8 KiB when this was set.
QUIET = 5 << 10 | 256
RECORDED = "tests/corpora/1.20.5-default/jobmanager.log.1.gz"
# Between two runs; 16 MiB.
NOISE = b"2026-11-20 23:59:00,000 INFO  com.acme.Enricher [] - Looked at another batch of records, found no fault.\n" * 155_000


def main(flinktail, mib="96"):
    mib = int(mib)
    with gzip.open(RECORDED) as file:
        recorded = file.read()
    check(flinktail, "a log of %d MiB" % mib, log(recorded, mib << 20))
    check(flinktail, "a line of %d MiB" % mib, (b"x" * (1 << 20) for _ in range(mib)))
    few, many = 10, 2010
    each = (quiet(flinktail, many) - quiet(flinktail, few)) / (many - few)
    print("a quiet log: %.1f KiB" % (each / 1024))
    assert each < QUIET, "a quiet log: %d bytes held" % each


def log(recorded, size):
    """The recorded run over and over, each time with other job ids, and between the runs what says nothing of jobs."""
    ids = set(re.findall(rb"\b[0-9a-f]{32}\b", recorded))
    length, lives = 0, 0
    while length < size:
        life = recorded
        for number, job in enumerate(sorted(ids)):
            life = life.replace(job, b"%032x" % (number + lives * len(ids)))
        lives += 1
        piece = life + NOISE
        yield piece
        length += len(piece)


def check(flinktail, what, pieces):
    command = [flinktail, "watch", "-", "--once", "--web.listen-address", "127.0.0.1:0", "--timezone", "UTC"]
    daemon = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
    for piece in pieces:
        daemon.stdin.write(piece)
    with open("/proc/%d/status" % daemon.pid, encoding="ascii") as status:
        peak = int(re.search(r"VmHWM:\s+(\d+) kB", status.read()).group(1)) << 10
    daemon.stdin.close()
    assert daemon.wait(timeout=60) == 0, "%s: exit code %d" % (what, daemon.returncode)
    print("%s: %.1f MiB at most" % (what, peak / (1 << 20)))
    assert peak < LIMIT, "%s: %d bytes held" % (what, peak)


def quiet(flinktail, count):
    """The bytes held of so many logs that say one thing each."""
    with tempfile.TemporaryDirectory() as directory:
        for number in range(count):
            with open("%s/jm-%d.log" % (directory, number), "w", encoding="ascii") as log:
                log.write(
                    "2026-11-20 12:00:00,000 INFO  org.apache.flink.runtime.executiongraph.ExecutionGraph [] - "
                    "Job quiet-%d (%032x) switched from state CREATED to RUNNING.\n" % (number, number + 1)
                )
        command = [flinktail, "watch", directory + "/*.log", "--web.listen-address", "127.0.0.1:0"]
        command += ["--state-dir", os.path.join(directory, "state"), "--timezone", "UTC"]
        daemon = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        address = None
        while not address:
            address = re.search(r"http://[0-9.:]+", daemon.stderr.readline())
        page = b""
        while b"\nflinktail_ready 1\n" not in page:
            page = urllib.request.urlopen(address.group(0) + "/metrics", timeout=60).read()
        assert page.count(b"flink_job_info{") == count
        with open("/proc/%d/status" % daemon.pid, encoding="ascii") as status:
            held = int(re.search(r"RssAnon:\s+(\d+) kB", status.read()).group(1)) << 10
        daemon.terminate()
        daemon.communicate(timeout=60)
        return held


main(*sys.argv[1:])
