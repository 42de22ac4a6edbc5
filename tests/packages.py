"""packages.py FLINKTAIL HELM MODULES

What is in deploy/, checked without a cluster, a container engine or root: manifests, and what Helm makes of the chart,
against the schemas of Kubernetes, and against the types of the Prometheus operator (in the folder MODULES) where it is
theirs; the configuration inside of them by flinktail itself; what every container must be (not root, nothing writable, no
capability); the Dockerfile's promises; and the exposure of the systemd unit.

Not checked, for want of a container engine: a build of the image.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import kubernetes_validate
import yaml

KUBERNETES = "1.33"
CHART = Path("deploy/helm/flinktail")
MONITORING = "monitoring.coreos.com/v1"
# systemd's exposure level times ten: 0 is none, 100 is all.
EXPOSURE = 15


def main(flinktail, helm, modules):
    manifests = rendered_chart(helm)
    for path in sorted(Path("deploy/kubernetes").glob("*.yaml")):
        manifests.extend(yaml.safe_load_all(path.read_text()))
    for manifest in manifests:
        check_manifest(flinktail, manifest)
    check_monitors([m for m in manifests if m["apiVersion"] == MONITORING], Path(modules))
    check_dockerfile(Path("deploy/docker/Dockerfile").read_text())
    unit = "deploy/systemd/flinktail.service"
    subprocess.run(
        ["systemd-analyze", "security", "--no-pager", "--offline=true", "--threshold=%d" % EXPOSURE, unit],
        check=True,
        stdout=subprocess.DEVNULL,
    )


def check_manifest(flinktail, manifest):
    if manifest["apiVersion"] != MONITORING:
        kubernetes_validate.validate(manifest, KUBERNETES, strict=True)
    if manifest["kind"] == "ConfigMap":
        for name, text in manifest["data"].items():
            check_configuration(flinktail, name, text)
    pod = manifest.get("spec", {}).get("template", {}).get("spec")
    if pod:
        check_pod(pod)


def check_monitors(monitors, modules):
    lines = ["import type * as operator from '@kubernetes-models/prometheus-operator/%s';" % MONITORING]
    for number, monitor in enumerate(monitors):
        lines.append("const monitor%d: operator.I%s = %s;" % (number, monitor["kind"], json.dumps(monitor)))
    source = modules.parent / "monitors.ts"
    source.write_text("\n".join(lines))
    options = ["--noEmit", "--strict", "--skipLibCheck", "--module", "nodenext"]
    subprocess.run([modules / ".bin/tsc", *options, source], check=True)


def check_configuration(flinktail, name, text):
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / name
        path.write_text(text)
        subprocess.run([flinktail, "check", path], check=True, stdout=subprocess.DEVNULL)


def check_pod(pod):
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    assert pod["securityContext"]["runAsNonRoot"] and pod["securityContext"]["runAsUser"] != 0
    containers = pod["containers"] + pod.get("initContainers", [])
    (own,) = [container for container in containers if container["name"] == "flinktail"]
    context = own["securityContext"]
    assert context["readOnlyRootFilesystem"] and not context["allowPrivilegeEscalation"]
    assert context["capabilities"] == {"drop": ["ALL"]}
    assert "memory" in own["resources"]["limits"]
    for mount in own["volumeMounts"]:
        writable = not mount.get("readOnly", False)
        assert not (writable and "hostPath" in volumes[mount["name"]]), mount


# Values under which every line of every template is rendered: those of the chart, then everything that can be turned on.
VALUES = [
    "",
    """
image: {repository: registry.example/flinktail, tag: 1.2.3, pullPolicy: Always}
logs: {path: /var/log/pods/flink_*/*/*.log, clusterFromPath: 'pods/(?P<cluster>[^/]+)/', timezone: Europe/Berlin}
extraConfig: |
  [stuck.flink_job]
  RESTARTING = "5m"
nodeSelector: {pool: flink}
tolerations: [{key: dedicated, operator: Equal, value: flink, effect: NoSchedule}]
podMonitor: {enabled: true, interval: 30s}
""",
]

# Values that must be refused.
WRONG = [
    "imag: {}",
    "podMonitor: {enabled: 'yes', interval: 15s}",
    "podMonitor: {enabled: true, interval: fast}",
    "logs: {clusterFromPath: 'no group'}",
    "logs: {path: /etc/passwd}",
    "nodeSelector: {pool: 7}",
]


def rendered_chart(helm):
    """What Helm makes of the chart; its values are checked on the way."""
    subprocess.run([helm, "lint", "--strict", "--quiet", CHART], check=True, stdout=subprocess.DEVNULL)
    manifests = []
    for values in VALUES:
        rendered = render(helm, values)
        assert rendered.returncode == 0, rendered.stderr
        manifests.extend(yaml.safe_load_all(rendered.stdout))
    kinds = [manifest["kind"] for manifest in manifests]
    assert sorted(kinds) == ["ConfigMap", "ConfigMap", "DaemonSet", "DaemonSet", "PodMonitor"], kinds
    for values in WRONG:
        assert "don't meet the specifications" in render(helm, values).stderr, "the chart takes %r" % values

    values = yaml.safe_load((CHART / "values.yaml").read_text())
    templates = "".join(path.read_text() for path in (CHART / "templates").glob("*.yaml"))
    unused = [key for key in values if ".Values.%s" % key not in templates]
    assert not unused, "values that no template uses: %s" % unused
    return manifests


def render(helm, values):
    """`helm template` with these values, YAML, over those of the chart."""
    command = [helm, "template", "flinktail", CHART, "--namespace", "monitoring", "--values", "-"]
    return subprocess.run(command, input=values, capture_output=True, text=True)


def check_dockerfile(text):
    last = text[text.rindex("\nFROM ") :]
    assert "FROM scratch" in last and "RUN" not in last, "the image holds more than the binary"
    user = re.search(r"^USER (\d+):\d+$", last, re.M)
    assert user and user.group(1) != "0", "runs as root"
    assert "+crt-static" in text and "--locked" in text
    assert all(":latest" not in image and ":" in image for image in re.findall(r"^FROM (\S+) AS", text, re.M))


main(*sys.argv[1:])
