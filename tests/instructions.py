"""Instructions per MiB of a log that says nothing of jobs, and of one that is full of transitions: a change that makes either
path longer fails here, however fast the machine.

    tests/instructions.py          compare with the figures below
    tests/instructions.py --show   print what they are now

The program is run under callgrind on two logs of each kind, one of which is longer by a known length; the difference is what
that length costs, without the start. It is the unoptimised build that the other tests use: its instructions are many, but they
rise and fall with the work that is done for each byte. The figures are for x86-64 with AVX2.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile

PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "target", "debug", "flinktail")

MIB = 1 << 20
# What a figure may be above the committed one.
MOST = 1.10

BANNER = (
    "2026-11-01 00:00:00,000 INFO  org.apache.flink.runtime.entrypoint.ClusterEntrypoint        [] -  Starting "
    "StandaloneSessionClusterEntrypoint (Version: 1.20.5, Scala: 2.12, Rev:0980485, Date:2026-06-08T09:21:06+02:00)\n"
)


def checkpoint(number):
    return (
        f"checkpoint.CheckpointCoordinator    [] - Completed checkpoint {number} for job {number:032x} (556034132 bytes, "
        f"checkpointDuration=22376 ms, finalizationTime=181 ms)."
    )


def transition(number):
    """The next of each of a hundred jobs in turn."""
    job, states = number % 100, ("RUNNING", "RESTARTING")
    before, after = states if number // 100 % 2 else states[::-1]
    return f"executiongraph.ExecutionGraph       [] - Job orders-{job} ({job:032x}) switched from state {before} to {after}."


# Of each kind of log: its messages, the length that is counted, and instructions per MiB. Lower these when a path has become
# shorter.
KINDS = {
    "an uninteresting log": (checkpoint, MIB, 63_500_000),
    "a log full of transitions": (transition, MIB // 4, 602_000_000),
}


def write(path, size, message):
    """A log of at least this many bytes."""
    with open(path, "w") as log:
        log.write(BANNER)
        number = 0
        while log.tell() < size:
            time = f"2026-11-01 00:{number // 60 % 60:02}:{number % 60:02},007"
            log.write(f"{time} INFO  org.apache.flink.runtime.{message(number)}\n")
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


def per_mib(message, length):
    """What a MiB of such messages costs, by the difference that this length makes."""
    with tempfile.TemporaryDirectory() as directory:
        costs = []
        for name, size in (("short.log", length), ("long.log", 2 * length)):
            log = os.path.join(directory, name)
            costs.append((write(log, size, message), instructions(log, os.path.join(directory, "callgrind.out"))))
    (short, before), (long, after) = costs
    return round((after - before) * MIB / (long - short))


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--show", action="store_true")
    show = arguments.parse_args().show
    for kind, (message, length, committed) in KINDS.items():
        now = per_mib(message, length)
        print(f"{now} instructions per MiB of {kind} ({committed} committed)")
        if not show and now > committed * MOST:
            sys.exit(f"that is more than {MOST} times what is committed")


if __name__ == "__main__":
    main()
