"""Instructions per MiB of a log that says nothing of jobs: a change that makes the hot path longer fails here, however
fast the machine.

    tests/instructions.py          compare with the figure below
    tests/instructions.py --show   print what it is now

The program is run under callgrind on two logs, one of which is longer by a known length; the difference is what that
length costs, without the start. It is the unoptimised build that the other tests use: its instructions are many, but they
rise and fall with the work that is done for each byte. The figure is for x86-64 with AVX2.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile

PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "target", "debug", "flinktail")

# Instructions per MiB. Lower it when the hot path has become shorter.
COMMITTED = 63_500_000
MOST = 1.10

MIB = 1 << 20
BANNER = (
    "2026-11-01 00:00:00,000 INFO  org.apache.flink.runtime.entrypoint.ClusterEntrypoint        [] -  Starting "
    "StandaloneSessionClusterEntrypoint (Version: 1.20.5, Scala: 2.12, Rev:0980485, Date:2026-06-08T09:21:06+02:00)\n"
)


def write(path, size):
    """A log of at least this many bytes."""
    with open(path, "w") as log:
        log.write(BANNER)
        number = 0
        while log.tell() < size:
            log.write(
                f"2026-11-01 00:{number // 60 % 60:02}:{number % 60:02},007 INFO  org.apache.flink.runtime.checkpoint."
                f"CheckpointCoordinator    [] - Completed checkpoint {number} for job {number:032x} (556034132 bytes, "
                f"checkpointDuration=22376 ms, finalizationTime=181 ms).\n"
            )
            number += 1
    return os.path.getsize(path)


def instructions(log, out):
    """How many it takes to replay a log."""
    command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", PROGRAM, "replay", "--json", log]
    ran = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    collected = re.search(r"Collected : (\d+)", ran.stderr)
    if ran.returncode or not collected:
        sys.exit(f"callgrind failed:\n{ran.stderr}")
    return int(collected[1])


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--show", action="store_true")
    show = arguments.parse_args().show
    with tempfile.TemporaryDirectory() as directory:
        costs = []
        for name, size in (("short.log", MIB), ("long.log", 2 * MIB)):
            log = os.path.join(directory, name)
            costs.append((write(log, size), instructions(log, os.path.join(directory, "callgrind.out"))))
    (short, before), (long, after) = costs
    now = round((after - before) * MIB / (long - short))
    if show:
        print(now)
    elif now > COMMITTED * MOST:
        sys.exit(f"{now} instructions per MiB of an uninteresting log, more than {MOST} times the {COMMITTED} committed")
    else:
        print(f"{now} instructions per MiB of an uninteresting log ({COMMITTED} committed)")


if __name__ == "__main__":
    main()
