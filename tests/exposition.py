"""exposition.py FLINKTAIL

Both forms of /metrics, judged by those who read them: runs `FLINKTAIL watch` on a copy of the example, whose logs are real
and hold hostile job names, lets a log grow so that every family has something to show, gives the text page to `promtool check metrics`, and the OpenMetrics page to the strict parser
of prometheus_client. What either has to say is an error, and so is a family of the catalogue that is not on the page.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client import parser as text

# Thresholds of one job's own, and a record written while its log is followed: what the example alone does not show.
OVERRIDE = '\n[[stuck_override]]\njob_name = "*"\nRESTARTING = "30m"\n'
# What runs jobs, as each tells of itself.
SERVICES = '\n[[source]]\npath = "services/*"\n'
TOLD = {
    "operator.log": """\
2026-11-21 00:03:24,184 o.a.f.k.o.l.AuditUtils         [INFO ][team/orders] >>> Status[Job]      | Info    | STABLE          | Stable 
2026-11-21 00:03:30,184 o.a.f.k.o.l.AuditUtils         [INFO ][team/orders] >>> Event[Job]       | Info    | JOBSTATUSCHANGED | Job status changed to RUNNING
""",
    "cloudtrail.jsonl": """\
{"eventTime":"2026-03-05T14:00:00Z","eventSource":"kinesisanalytics.amazonaws.com","eventName":"StartApplication","awsRegion":"us-east-1","requestParameters":{"applicationName":"orders"},"responseElements":null,"eventID":"1","recipientAccountId":"111122223333"}
""",
    "platform.jsonl": """\
{"kind":"Job","apiVersion":"v1","metadata":{"id":"720c4fdf-1043-4359-9e6e-7ad6660b89db","namespace":"team","modifiedAt":"2026-03-06T08:00:41Z","deploymentName":"dep \\"orders\\"","resourceVersion":2},"status":{"state":"STARTED","started":{"observedFlinkJobRestarts":1,"observedFlinkJobStatus":"RUNNING"}}}
""",
}
GROWING = "logs/flink-session-1.20/jobmanager.log"
RECORD = "2026-11-21 00:00:00,000 INFO  org.apache.flink.runtime.jobmaster.JobMaster                 [] - Hello.\n"
LAST_TO_COME = b"flinktail_source_clock_skew_seconds{"
READY_WITHIN = 60  # seconds; a debug build reads the example in a few
OPENMETRICS = "application/openmetrics-text; version=1.0.0"
TEXT = "text/plain; version=0.0.4"


def main(flinktail):
    with tempfile.TemporaryDirectory() as directory:
        example = shutil.copytree("examples", os.path.join(directory, "examples"))
        append(os.path.join(example, "flinktail.toml"), OVERRIDE + SERVICES)
        os.mkdir(os.path.join(example, "services"))
        for name, said in TOLD.items():
            append(os.path.join(example, "services", name), said)
        check(flinktail, example)


def check(flinktail, example):
    address = "127.0.0.1:%d" % free_port()
    config = os.path.join(example, "flinktail.toml")
    state = os.path.join(example, "state")
    daemon = subprocess.Popen([flinktail, "watch", "--config", config, "--state-dir", state, "--web.listen-address", address])
    try:
        wait_until(daemon, "http://%s/-/ready" % address, b"")
        append(os.path.join(example, GROWING), RECORD)
        metrics = "http://%s/metrics" % address
        wait_until(daemon, metrics, LAST_TO_COME)
        pages = {accept: fetch(metrics, accept) for accept in (TEXT, OPENMETRICS)}
    finally:
        daemon.terminate()
        status = daemon.wait(timeout=30)
    assert status == 0, "ended with %d when asked to" % status

    checked = subprocess.run(["promtool", "check", "metrics"], input=pages[TEXT], stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT)
    assert checked.returncode == 0 and not checked.stdout, checked.stdout.decode()

    catalogue = families(flinktail)
    for accept, parser in {TEXT: text, OPENMETRICS: openmetrics}.items():
        page = pages[accept].decode("utf-8")
        names = {family.name for family in parser.text_string_to_metric_families(page) if family.samples}
        assert catalogue == names, "%s: %s" % (accept, sorted(catalogue ^ names))
        print("%s: %d families, %d bytes" % (accept, len(names), len(page)))


def families(flinktail):
    """All families of the catalogue, in the words of the parsers: counters without `_total`."""
    printed = subprocess.run([flinktail, "print", "metrics"], check=True, stdout=subprocess.PIPE).stdout.decode()
    return {name.removesuffix("_total") for name in re.findall(r"(?m)^### `(\w+)`", printed)}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def append(path, text):
    with open(path, "a", encoding="utf-8") as file:
        file.write(text)


def wait_until(daemon, url, part):
    """Waits for an answer of 200 with these bytes in it."""
    deadline = time.monotonic() + READY_WITHIN
    while daemon.poll() is None and time.monotonic() < deadline:
        try:
            if part in fetch(url, "*/*"):
                return
        except (urllib.error.URLError, ConnectionError):
            pass
        time.sleep(0.1)
    raise SystemExit("%s: no %r, exit code %s" % (url, part, daemon.returncode))


def fetch(url, accept):
    request = urllib.request.Request(url, headers={"Accept": accept})
    with urllib.request.urlopen(request, timeout=10) as answer:
        kind = answer.headers.get_content_type()
        assert accept == "*/*" or accept.startswith(kind), "asked for %s, got %s" % (accept, kind)
        return answer.read()


main(sys.argv[1])
