"""live.py FLINKTAIL

From the log line to the page, with real parts: flinktail follows a growing log, Prometheus scrapes it and evaluates
the rules as they are shipped, Alertmanager shows what fires. The log is a recorded one, its times shifted so that one
job went into RESTARTING 20 minutes ago; then the job recovers, as recorded, now. On the way every expression of every
dashboard is asked of Prometheus: it must name only series that exist, and return data before or after the recovery.
"""

import datetime
import glob
import gzip
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

LOG = "tests/corpora/1.20.5-default/jobmanager.log.1.gz"
JOB_NAME, JOB_ID = "slow-restarting", "2efeec6dff0ae34c957b073b31aadd9a"
STUCK = "Job %s (%s) switched from state RUNNING to RESTARTING." % (JOB_NAME, JOB_ID)
RECOVERED = "Job %s (%s) switched from state RESTARTING to RUNNING." % (JOB_NAME, JOB_ID)
STUCK_SINCE = datetime.timedelta(minutes=20)  # the threshold of RESTARTING is 10
EXPECTED = {"alertname": "FlinkJobStuckInState", "severity": "warning", "state": "RESTARTING",
            "cluster": "recorded", "job_id": JOB_ID, "job_name": JOB_NAME}
PATIENCE = 60  # seconds for anything to happen; each thing takes a few

PROMETHEUS = """
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: ["%(rules)s/*.yml"]
alerting: {alertmanagers: [{static_configs: [{targets: ["%(alertmanager)s"]}]}]}
scrape_configs: [{job_name: flinktail, static_configs: [{targets: ["%(flinktail)s"]}]}]
"""
ALERTMANAGER = """
route: {receiver: nobody, group_wait: 1s, group_interval: 1s}
receivers: [{name: nobody}]
"""
# What Grafana would put in. The range is that of a panel over an hour at a scrape interval of 15 seconds.
VARIABLES = {"$__rate_interval": "1m", "$__range": "1h", "$job_name": ".*", "$job_id": ".*", "$job": "flinktail",
             "$instance": ".+", "$cluster": ".+", "$account": ".+", "$namespace": ".+"}
# What runs jobs, as each tells of itself: one of each kind is stuck since an hour, and an application has a job.
ACCOUNT = "111122223333"
CALL = ('{"eventTime":"%s","eventSource":"kinesisanalytics.amazonaws.com","eventName":"%s","awsRegion":"us-east-1",'
        '"requestParameters":{"applicationName":"%s"},"responseElements":null,"eventID":"%s","recipientAccountId":"'
        + ACCOUNT + '"}\n')
RECORD = ('{"logger":"org.apache.flink.runtime.executiongraph.ExecutionGraph","message":"Job clicks (%s) switched from '
          'state CREATED to RUNNING.","applicationARN":"arn:aws:kinesisanalytics:us-east-1:' + ACCOUNT
          + ':application/clicks","applicationVersionId":"1","messageSchemaVersion":"1","messageType":"INFO"}\n')
RESOURCE = ('{"kind":"Job","apiVersion":"v1","metadata":{"id":"%s","namespace":"team","modifiedAt":"%s",'
            '"deploymentName":"dep","resourceVersion":1},"status":{"state":"%s"}}\n')
STATUS = ("%s o.a.f.k.o.l.AuditUtils         [INFO ][team/orders] >>> Status[Job]      | Info    | DEPLOYED        | "
          "Deployed \n")


def main(flinktail):
    servers = []
    with tempfile.TemporaryDirectory() as folder:
        try:
            check(flinktail, folder, servers)
        except BaseException:
            for name in glob.glob(folder + "/*.txt"):
                print("-- %s\n%s" % (name, open(name).read()[-2000:]))
            raise
        finally:
            for server in servers:
                server.terminate()
            for server in servers:
                server.wait(timeout=30)


def check(flinktail, folder, servers):
    addresses = {name: "127.0.0.1:%d" % free_port() for name in ("flinktail", "prometheus", "alertmanager")}
    before, after = recorded()
    log = os.path.join(folder, "recorded", "jobmanager.log")
    os.mkdir(os.path.dirname(log))
    append(log, shifted(before, -STUCK_SINCE))

    def start(name, *command):
        output = open(os.path.join(folder, name + ".txt"), "w")
        servers.append(subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT))

    services = os.path.join(folder, "services")
    os.mkdir(services)
    ago = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=1)
    calls = os.path.join(services, "calls.jsonl")
    append(calls, [CALL % (moment(ago), "StartApplication", name, name) for name in ("orders", "clicks")])
    append(os.path.join(services, "managed.jsonl"), [RECORD % ("0a" * 16)])
    append(os.path.join(services, "resources.jsonl"),
           [RESOURCE % ("0%d000000-0000-0000-0000-000000000000" % number, moment(ago), state)
            for number, state in enumerate(("STARTING", "STARTED"))])
    append(os.path.join(services, "operator.log"), [STATUS % ago.strftime("%Y-%m-%d %H:%M:%S,000")])
    start("flinktail", flinktail, "watch", os.path.join(folder, "*", "jobmanager.log"), services + "/*", "--timezone", "UTC",
          "--poll-interval", "500ms", "--state-dir", folder + "/state", "--web.listen-address", addresses["flinktail"])
    start("alertmanager", "prometheus-alertmanager", "--config.file", write(folder, "alertmanager.yml", ALERTMANAGER),
          "--storage.path", folder + "/alerts", "--web.listen-address", addresses["alertmanager"],
          "--cluster.listen-address=")
    config = PROMETHEUS % dict(addresses, rules=impatient_rules(folder))
    start("prometheus", "prometheus", "--config.file", write(folder, "prometheus.yml", config), "--storage.tsdb.path",
          folder + "/series", "--web.listen-address", addresses["prometheus"])

    prometheus = "http://%s/api/v1/" % addresses["prometheus"]
    alerts = "http://%s/api/v2/alerts" % addresses["alertmanager"]
    firing = wait_for("the alert to fire", servers, lambda: of_the_job(ask(alerts)))
    assert len(firing) == 1 and firing[0]["labels"] == EXPECTED, firing
    assert JOB_NAME in firing[0]["annotations"]["summary"], firing
    print("fired: %s" % firing[0]["annotations"]["summary"])

    expressions = dashboards()
    remaining = unanswered(prometheus, expressions)
    append(log, shifted(after))
    now = datetime.datetime.now(datetime.timezone.utc)
    append(calls, [CALL % (moment(now), "RollbackApplication", "clicks", "rollback")])
    wait_for("the alert to resolve", servers, lambda: not of_the_job(ask(alerts)))
    print("resolved")

    deadline = time.monotonic() + PATIENCE
    while remaining and time.monotonic() < deadline:
        time.sleep(1)
        remaining = unanswered(prometheus, remaining)
    check_names(prometheus, expressions)
    assert not remaining, "no data for:\n  " + "\n  ".join("%s: %s" % panel for panel in remaining)
    print("dashboards: %d expressions answered" % len(expressions))


def recorded():
    """The log until the job is stuck in RESTARTING, and the rest until it is RUNNING again."""
    lines = gzip.open(LOG, "rt", encoding="utf-8").read().splitlines(keepends=True)
    last = next(i for i, line in enumerate(lines) if RECOVERED in line)
    stuck = next(i for i, line in enumerate(lines) if STUCK in line)
    return lines[: stuck + 1], lines[stuck + 1 : last + 1]


def shifted(lines, by=datetime.timedelta()):
    """The lines with their times shifted so that the last is now, or so much earlier."""
    header = re.compile(r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d),(\d{3})")

    def time_of(found):
        return datetime.datetime.strptime("%s.%s" % found.groups(), "%Y-%m-%d %H:%M:%S.%f")

    last = next(found for found in map(header.match, reversed(lines)) if found)
    delta = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None) + by - time_of(last)
    stamp = lambda found: (time_of(found) + delta).strftime("%Y-%m-%d %H:%M:%S,%f")[:-3]
    return [header.sub(stamp, line) for line in lines]


def append(path, lines):
    with open(path, "a", encoding="utf-8") as file:
        file.writelines(lines)


def impatient_rules(folder):
    """The rules as shipped, but for the minutes that an alert goes on firing to bridge a gap."""
    target = os.path.join(folder, "rules")
    os.mkdir(target)
    for path in glob.glob("rules/alerts/*.yml") + glob.glob("rules/recording/*.yml"):
        text = re.sub(r"keep_firing_for: \w+", "keep_firing_for: 1s", open(path).read())
        write(target, os.path.basename(path), text)
    return target


def of_the_job(alerts):
    stuck = [alert for alert in alerts if alert["labels"]["alertname"] == EXPECTED["alertname"]]
    return [alert for alert in stuck if alert["labels"].get("job_id") == JOB_ID]


def moment(time):
    """As services write it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def dashboards():
    """Every expression of every dashboard, with its place."""
    found = []
    for path in sorted(glob.glob("dashboards/*.json")):
        board = json.load(open(path))
        for panel in board["panels"]:
            for target in panel.get("targets", []):
                found.append(("%s: %s" % (path, panel["title"]), target["expr"]))
        for annotation in board["annotations"]["list"]:
            if "target" in annotation:
                found.append(("%s: annotation %s" % (path, annotation["name"]), annotation["target"]["expr"]))
    return found


def unanswered(prometheus, expressions):
    """Those that return nothing; one that Prometheus refuses is an error."""
    empty = []
    for place, expression in expressions:
        query = expression
        for variable, value in VARIABLES.items():
            query = query.replace(variable, value)
        if not ask(prometheus + "query?" + urllib.parse.urlencode({"query": query}))["data"]["result"]:
            empty.append((place, expression))
    return empty


def check_names(prometheus, expressions):
    """Every name in an expression, also in the half of an `or` that returned nothing, is that of a series."""
    known = set(ask(prometheus + "label/__name__/values")["data"])
    for place, expression in expressions:
        for name in re.findall(r"\b(?!vvp_job_id\b)(?:flink_|flinktail_|kda_|vvp_|fleet:|process_)[a-z0-9_:]+(?=[{\[)\s]|$)", expression):
            assert name in known, "%s names %s" % (place, name)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def write(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "w") as file:
        file.write(text)
    return path


def ask(url):
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as refused:
        raise SystemExit("%s: %s" % (url, refused.read().decode()))


def wait_for(what, servers, look):
    """What `look` returns once it is true; servers that are not up yet are waited for too."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        assert all(server.poll() is None for server in servers), "a server has ended"
        try:
            seen = look()
            if seen:
                return seen
        except (urllib.error.URLError, ConnectionError):
            pass
        time.sleep(0.5)
    raise SystemExit("waited %d s in vain for %s" % (PATIENCE, what))


main(sys.argv[1])
