"""compose.py

What `docker compose up` would put together, checked without a container engine: Prometheus' configuration with the
rules where they would be mounted (promtool), Alertmanager's (amtool), and that every file that is mounted exists,
that every service another one is told to talk to is there, and that alerts which silence others are alerts.
"""

import os
import re
import shutil
import subprocess
import tempfile

import yaml

COMPOSE = "deploy/compose/compose.yml"
BUILT = "target/release/flinktail"  # by the reader, before


def main():
    folder = os.path.dirname(COMPOSE)
    services = load(COMPOSE)["services"]
    volumes = load(COMPOSE)["volumes"]
    for name, service in services.items():
        for volume in service["volumes"]:
            source = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", volume).split(":")[0]
            path = os.path.normpath(os.path.join(folder, source))
            assert source in volumes or path == BUILT or os.path.exists(path), "%s: no %s" % (name, path)
        for port in service["ports"]:
            assert port.startswith("127.0.0.1:"), "%s is open to the world: %s" % (name, port)

    provisioned = load(folder + "/grafana/provisioning/datasources/prometheus.yml")["datasources"]
    told = [source["url"] for source in provisioned]
    prometheus = load(folder + "/prometheus.yml")
    for entry in prometheus["scrape_configs"] + prometheus["alerting"]["alertmanagers"]:
        told += ["http://" + target for config in entry["static_configs"] for target in config["targets"]]
    for url in told:
        host, port = re.match(r"http://([\w-]+):(\d+)", url).groups()
        assert services[host]["ports"] == ["127.0.0.1:%s:%s" % (port, port)], "nobody listens at " + url

    alerts = set()
    for name in os.listdir("rules/alerts"):
        for group in load("rules/alerts/" + name)["groups"]:
            alerts |= {rule["alert"] for rule in group["rules"]}
    for rule in load(folder + "/alertmanager.yml")["inhibit_rules"]:
        for matcher in rule["source_matchers"] + rule["target_matchers"]:
            assert re.match(r'alertname="(\w+)"', matcher).group(1) in alerts, matcher

    with tempfile.TemporaryDirectory() as mounted:
        shutil.copy(folder + "/prometheus.yml", mounted)
        shutil.copytree("rules", mounted + "/rules")
        subprocess.run(["promtool", "check", "config", mounted + "/prometheus.yml"], check=True)
    subprocess.run(["amtool", "check-config", folder + "/alertmanager.yml"], check=True)


def load(path):
    with open(path) as file:
        return yaml.safe_load(file)


main()
