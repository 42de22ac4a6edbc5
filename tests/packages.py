"""packages.py FLINKTAIL

What is in deploy/, checked without a cluster, a container engine or root: manifests against the schemas of Kubernetes,
the configuration inside of them by flinktail itself, what every container must be (not root, nothing writable, no
capability), the Helm chart's values against their schema and its templates against the values, the Dockerfile's promises,
and the exposure of the systemd unit.

Not checked, for want of what it would take: PodMonitor and ServiceMonitor against the Prometheus operator's schemas, the
chart as Helm renders it, and a build of the image.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import jsonschema
import kubernetes_validate
import yaml

KUBERNETES = "1.33"
CHART = Path("deploy/helm/flinktail")
# systemd's exposure level times ten: 0 is none, 100 is all.
EXPOSURE = 15


def main(flinktail):
    for path in sorted(Path("deploy/kubernetes").glob("*.yaml")):
        for manifest in yaml.safe_load_all(path.read_text()):
            check_manifest(flinktail, manifest)
    check_chart()
    check_dockerfile(Path("deploy/docker/Dockerfile").read_text())
    unit = "deploy/systemd/flinktail.service"
    subprocess.run(
        ["systemd-analyze", "security", "--no-pager", "--offline=true", "--threshold=%d" % EXPOSURE, unit],
        check=True,
        stdout=subprocess.DEVNULL,
    )


def check_manifest(flinktail, manifest):
    if not manifest["apiVersion"].startswith("monitoring.coreos.com/"):
        kubernetes_validate.validate(manifest, KUBERNETES, strict=True)
    if manifest["kind"] == "ConfigMap":
        for name, text in manifest["data"].items():
            check_configuration(flinktail, name, text)
    pod = manifest.get("spec", {}).get("template", {}).get("spec")
    if pod:
        check_pod(pod)


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


def check_chart():
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    schema = json.loads((CHART / "values.schema.json").read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    jsonschema.validate(values, schema)
    for wrong in [{"imag": {}}, {"podMonitor": {"enabled": "yes", "interval": "15s"}}]:
        try:
            jsonschema.validate({**values, **wrong}, schema)
        except jsonschema.ValidationError:
            continue
        raise AssertionError("the schema takes %r" % wrong)

    used = set()
    for template in sorted((CHART / "templates").glob("*.yaml")):
        text = template.read_text()
        actions = re.findall(r"\{\{-?\s*(\w+)?", text)
        assert actions.count("if") == actions.count("end"), template
        assert text.count("{{") == text.count("}}"), template
        used |= set(re.findall(r"\.Values\.([\w.]+)", text))
    for path in used:
        value = values
        for key in path.split("."):
            value = value[key]
    unused = set(values) - {path.split(".")[0] for path in used}
    assert not unused, "values that no template uses: %s" % unused


def check_dockerfile(text):
    last = text[text.rindex("\nFROM ") :]
    assert "FROM scratch" in last and "RUN" not in last, "the image holds more than the binary"
    user = re.search(r"^USER (\d+):\d+$", last, re.M)
    assert user and user.group(1) != "0", "runs as root"
    assert "+crt-static" in text and "--locked" in text
    assert all(":latest" not in image and ":" in image for image in re.findall(r"^FROM (\S+) AS", text, re.M))


main(sys.argv[1])
