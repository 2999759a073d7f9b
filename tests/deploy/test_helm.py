"""The chart: linted and rendered by Helm, held against Kubernetes' schemas and our own files."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import click
import kubernetes_validate
import pytest
import yaml
from helm_python import chart as helm
from helm_python.errors import HelmError

from exporter import __version__
from exporter.cli import main
from exporter.config import parse
from tests.deploy.charts import CHART, VALUES, Document, of_kind, only, render, values_of
from tests.project.files import ROOT

KUBERNETES = ("1.27", "1.31", "1.34")
DEMO = {"demo": True}
ACCOUNT = values_of(CHART / "ci/account-values.yaml")
EVERYTHING = values_of(CHART / "ci/everything-values.yaml")
every_values_file = pytest.mark.parametrize("path", VALUES, ids=lambda path: path.stem)


def pod(documents: list[Document]) -> Document:
    spec: Document = only(documents, "StatefulSet")["spec"]["template"]["spec"]
    return spec


def container(documents: list[Document]) -> Document:
    (found,) = pod(documents)["containers"]
    result: Document = found
    return result


def configuration(values: dict[str, Any]) -> str:
    (found,) = (
        each["data"]["config.yaml"]
        for each in of_kind(render(values), "ConfigMap")
        if "config.yaml" in each["data"]
    )
    text: str = found
    return text


@every_values_file
def test_lint_finds_nothing(path: Path) -> None:
    report = helm.lint(CHART, values_of(path), strict=True)
    assert report["errors"] == []
    assert [message["error"] for message in report["messages"]] == ["icon is recommended"]


@pytest.mark.parametrize("version", KUBERNETES)
@every_values_file
def test_kubernetes_takes_every_object(path: Path, version: str) -> None:
    documents = render(values_of(path))
    assert documents
    for document in documents:
        if not document["apiVersion"].startswith("monitoring.coreos.com/"):
            kubernetes_validate.validate(document, version, strict=True)
        assert len(document["metadata"]["name"]) <= 63


def test_the_validator_would_tell() -> None:
    document = only(render(DEMO), "Service")
    document["spec"]["prots"] = []
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(document, KUBERNETES[-1], strict=True)


@every_values_file
def test_the_command_knows_its_arguments(path: Path) -> None:
    name, *arguments = container(render(values_of(path)))["args"]
    command = main.get_command(click.Context(main), name)
    assert command is not None
    command.make_context(name, arguments)


@pytest.mark.parametrize("path", [each for each in VALUES if "config" in values_of(each)])
def test_the_configuration_is_one(path: Path, tmp_path: Path) -> None:
    values = values_of(path)
    secret = tmp_path / "secret"
    secret.write_text("7bz1lzh9")
    secret.chmod(0o600)
    text = re.sub("(?<=api_secret_file: ).*", str(secret), configuration(values))
    environment = {each["name"]: each.get("value", "bDqJFiq9") for each in values["env"]}
    config = parse(text, environment)
    assert [each.name for each in config.accounts] == [
        each["name"] for each in values["config"]["accounts"]
    ]


def test_large_figures_are_written_as_they_were() -> None:
    assert "daily_spend: 12000000\n" in configuration(ACCOUNT)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "set config.accounts (or existingConfigMap, or demo: true"),
        ({**DEMO, "replicaCount": 3}, "additional properties 'replicaCount' not allowed"),
        ({**ACCOUNT, "replicas": 3}, "more than one replica would poll everything twice"),
        ({**DEMO, "serviceMonitor": {"interval": "often"}}, "/serviceMonitor/interval"),
        ({**DEMO, "image": {"digest": "latest"}}, "/image/digest"),
        ({**DEMO, "service": {"port": 0}}, "/service/port"),
    ],
)
def test_a_wrong_value_is_told(values: dict[str, Any], message: str) -> None:
    with pytest.raises(HelmError, match=message.replace("(", r"\(")):
        render(values)


def test_rules_are_those_of_the_project() -> None:
    rendered = [each["spec"]["groups"] for each in of_kind(render(DEMO), "PrometheusRule")]
    files = sorted((ROOT / "prometheus/rules").glob("*.yml"))
    assert rendered == [yaml.safe_load(path.read_text())["groups"] for path in files]


def test_links_lead_where_values_say(tmp_path: Path) -> None:
    links = set()
    for each in of_kind(render(ACCOUNT), "PrometheusRule"):
        path = tmp_path / f"{each['metadata']['name']}.yml"
        path.write_text(yaml.safe_dump(each["spec"]))
        for group in each["spec"]["groups"]:
            for rule in group["rules"]:
                notes = rule.get("annotations", {})
                links |= {
                    url.rpartition("/")[0] if "runbook" in name else url.partition("/d/")[0]
                    for name, url in notes.items()
                    if name.endswith("_url")
                }
        subprocess.run(["promtool", "check", "rules", path], check=True, capture_output=True)
    assert links == {"https://wiki.example/runbooks", "https://grafana.example"}


def test_dashboards_are_those_of_the_project() -> None:
    found = {
        name: json.loads(text)
        for each in of_kind(render(DEMO), "ConfigMap")
        for name, text in each["data"].items()
        if name.endswith(".json")
    }
    files = sorted((ROOT / "grafana/dashboards").glob("*.json"))
    assert found == {path.name: json.loads(path.read_text()) for path in files}


def test_a_change_of_the_configuration_restarts_the_exporter() -> None:
    changed = {**ACCOUNT, "config": {**ACCOUNT["config"], "poll": {"interval": "45s"}}}
    before, after = (
        only(render(values), "StatefulSet")["spec"]["template"]["metadata"]["annotations"]
        for values in (ACCOUNT, changed)
    )
    assert before["checksum/config"] != after["checksum/config"]


@every_values_file
def test_least_privilege(path: Path) -> None:
    documents = render(values_of(path))
    assert pod(documents)["automountServiceAccountToken"] is False
    assert pod(documents)["securityContext"]["runAsNonRoot"] is True
    assert pod(documents)["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container(documents)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_what_is_mounted_has_a_volume() -> None:
    for path in VALUES:
        documents = render(values_of(path))
        volumes = {each["name"] for each in pod(documents)["volumes"]}
        assert {each["name"] for each in container(documents)["volumeMounts"]} == volumes


def test_the_service_finds_the_pod_and_the_monitor_the_service() -> None:
    for values in (ACCOUNT, EVERYTHING):
        documents = render(values)
        service = only(documents, "Service")
        labels = only(documents, "StatefulSet")["spec"]["template"]["metadata"]["labels"]
        assert service["spec"]["selector"].items() <= labels.items()
        monitor = only(documents, "ServiceMonitor")["spec"]
        chosen = monitor["selector"]["matchLabels"]
        assert chosen.items() <= service["metadata"]["labels"].items()
        # The rules know the exporter's job by this word.
        assert "itnio" in service["metadata"]["labels"][monitor["jobLabel"]]
        assert [each["port"] for each in monitor["endpoints"]] == ["http"]


def test_a_pod_that_moves_keeps_its_instance() -> None:
    """Its address does not, and alerts ask for what the same instance told a week ago."""
    (endpoint,) = only(render(ACCOUNT), "ServiceMonitor")["spec"]["endpoints"]
    (relabeling,) = endpoint["relabelings"]
    assert relabeling["targetLabel"] == "instance"
    assert relabeling["sourceLabels"] == [
        "__meta_kubernetes_namespace",
        "__meta_kubernetes_pod_name",
    ]
    assert relabeling["separator"] == "/"


def test_replicas_share_a_database_and_have_no_volume() -> None:
    documents = render(values_of(CHART / "ci/fleet-values.yaml"))
    spec = only(documents, "StatefulSet")["spec"]
    assert spec["replicas"] == 3
    assert not of_kind(documents, "PersistentVolumeClaim")
    (url,) = [each for each in container(documents)["env"] if each["name"] == "ITNIO_STORAGE_URL"]
    assert url["valueFrom"]["secretKeyRef"] == {"name": "itnio-database", "key": "url"}
    budget = only(documents, "PodDisruptionBudget")["spec"]
    assert budget["maxUnavailable"] == 1
    labels = spec["template"]["metadata"]["labels"]
    assert budget["selector"]["matchLabels"].items() <= labels.items()
    assert not of_kind(render(ACCOUNT), "PodDisruptionBudget")


def test_what_is_counted_outlives_the_release() -> None:
    claim = only(render(ACCOUNT), "PersistentVolumeClaim")
    assert claim["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    assert {"name": "state", "persistentVolumeClaim": {"claimName": claim["metadata"]["name"]}} in (
        pod(render(ACCOUNT))["volumes"]
    )
    assert not of_kind(render(DEMO), "PersistentVolumeClaim")


def test_an_upgrade_changes_nothing_that_kubernetes_keeps_as_it_was() -> None:
    kinds = (DEMO, ACCOUNT, values_of(CHART / "ci/fleet-values.yaml"))
    fixed = []
    for values in kinds:
        spec = only(render(values), "StatefulSet")["spec"]
        may_change = ("replicas", "template", "updateStrategy", "minReadySeconds")
        fixed.append({name: value for name, value in spec.items() if name not in may_change})
    # From the demo to accounts of one's own, and on to several replicas.
    assert fixed[0] == fixed[1] == fixed[2]


def egress_ports(values: dict[str, Any]) -> list[int]:
    rules = only(render(values), "NetworkPolicy")["spec"]["egress"]
    return [each["port"] for rule in rules for each in rule["ports"] if each["port"] != 53]


def test_the_database_of_replicas_can_be_reached() -> None:
    shared = {**ACCOUNT, "storage": {"postgres": {"existingSecret": "itnio-database"}}}
    assert egress_ports(ACCOUNT) == [443]
    assert egress_ports(shared) == [443, 5432]
    assert egress_ports({**shared, "networkPolicy": {"egressPorts": [5432]}}) == [5432]
    shared["storage"]["postgres"]["port"] = 6432
    assert egress_ports(shared) == [443, 6432]
    assert egress_ports({**shared, "demo": True}) == [443]


def test_replicas_are_spread_over_nodes_unless_values_say_how() -> None:
    fleet = values_of(CHART / "ci/fleet-values.yaml")
    documents = render(fleet)
    (spread,) = pod(documents)["topologySpreadConstraints"]
    assert spread["topologyKey"] == "kubernetes.io/hostname"
    labels = only(documents, "StatefulSet")["spec"]["template"]["metadata"]["labels"]
    assert spread["labelSelector"]["matchLabels"].items() <= labels.items()
    zones = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}
    own = render({**fleet, "topologySpreadConstraints": [zones]})
    assert pod(own)["topologySpreadConstraints"] == [zones]
    assert "topologySpreadConstraints" not in pod(render(ACCOUNT))


def test_the_chart_is_of_this_version() -> None:
    assert yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"] == __version__


def test_every_default_is_described_and_every_description_has_a_default() -> None:
    def keys(values: Any, schema: dict[str, Any], path: str = "") -> set[str]:
        found = set()
        for name, inner in schema.get("properties", {}).items():
            if name != "global":
                assert name in values, f"{path}{name} has no default"
                found |= {f"{path}{name}"} | keys(values[name], inner, f"{path}{name}.")
        return found

    values = values_of(CHART / "values.yaml")
    schema = json.loads((CHART / "values.schema.json").read_text())
    described = keys(values, schema)
    for name, value in values.items():
        assert name in described
        if isinstance(value, dict) and "properties" in schema["properties"][name]:
            assert {f"{name}.{inner}" for inner in value} <= described
