"""exposition.py FLINKTAIL

Both forms of /metrics, judged by those who read them: runs `FLINKTAIL watch` on the example, whose logs are real and
hold hostile job names, gives the text page to `promtool check metrics`, and the OpenMetrics page to the strict parser
of prometheus_client. What either has to say is an error.
"""

import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client import parser as text

CONFIG = "examples/flinktail.toml"
READY_WITHIN = 60  # seconds; a debug build reads the example in a few
OPENMETRICS = "application/openmetrics-text; version=1.0.0"
TEXT = "text/plain; version=0.0.4"
# A page without jobs would be clean and prove nothing.
EXPECTED = {"flink_job_state", "flink_job_restarts", "flinktail_build_info"}


def main(flinktail):
    address = "127.0.0.1:%d" % free_port()
    daemon = subprocess.Popen([flinktail, "watch", "--config", CONFIG, "--web.listen-address", address])
    try:
        wait_until_ready(daemon, "http://%s/-/ready" % address)
        metrics = "http://%s/metrics" % address
        pages = {accept: fetch(metrics, accept) for accept in (TEXT, OPENMETRICS)}
    finally:
        daemon.terminate()
        status = daemon.wait(timeout=30)
    assert status == 0, "ended with %d when asked to" % status

    checked = subprocess.run(["promtool", "check", "metrics"], input=pages[TEXT], stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT)
    assert checked.returncode == 0 and not checked.stdout, checked.stdout.decode()

    families = {TEXT: text, OPENMETRICS: openmetrics}
    for accept, parser in families.items():
        page = pages[accept].decode("utf-8")
        names = {family.name for family in parser.text_string_to_metric_families(page)}
        assert EXPECTED <= names, "%s lacks %s" % (accept, EXPECTED - names)
        print("%s: %d families, %d bytes" % (accept, len(names), len(page)))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_ready(daemon, url):
    deadline = time.monotonic() + READY_WITHIN
    while daemon.poll() is None and time.monotonic() < deadline:
        try:
            return fetch(url, "*/*")
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
    raise SystemExit("not ready: exit code %s" % daemon.returncode)


def fetch(url, accept):
    request = urllib.request.Request(url, headers={"Accept": accept})
    with urllib.request.urlopen(request, timeout=10) as answer:
        kind = answer.headers.get_content_type()
        assert accept == "*/*" or accept.startswith(kind), "asked for %s, got %s" % (accept, kind)
        return answer.read()


main(sys.argv[1])
