"""manifests/ and meshproof.yaml: that their parts fit each other, and the services."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from services.msgd.settings import Settings as MsgdSettings
from services.svca.app import create_app as create_svca
from services.svca.settings import Settings as SvcaSettings
from services.svcb.app import create_app as create_svcb
from services.svcb.settings import Settings as SvcbSettings

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "manifests").glob("*.yaml"))
DOCUMENTS: list[dict[str, Any]] = [
    document for file in FILES for document in yaml.safe_load_all(file.read_text(encoding="utf-8"))
]
MESH = yaml.safe_load((ROOT / "meshproof.yaml").read_text(encoding="utf-8"))


def of(kind: str) -> list[dict[str, Any]]:
    return [d for d in DOCUMENTS if d["kind"] == kind]


def container(deployment: dict[str, Any]) -> dict[str, Any]:
    [only] = deployment["spec"]["template"]["spec"]["containers"]
    return dict(only)


def environ(deployment: dict[str, Any]) -> dict[str, str]:
    return {e["name"]: e["value"] for e in container(deployment)["env"]}


def by_name(documents: list[dict[str, Any]]) -> list[Any]:
    return [pytest.param(d, id=d["metadata"]["name"]) for d in documents]


DEPLOYMENTS = by_name(of("Deployment"))


def test_the_suite() -> None:
    names = sorted(d["metadata"]["name"] for d in of("Deployment"))
    assert names == ["svca", "svcb-v0.1", "svcb-v0.2"]
    assert sorted(s["metadata"]["name"] for s in of("Service")) == ["svca", "svcb"]


def test_everything_is_in_one_namespace_that_is_made_first_and_injected() -> None:
    assert DOCUMENTS[0]["kind"] == "Namespace"
    assert DOCUMENTS[0]["metadata"]["labels"] == {"istio-injection": "enabled"}
    namespaces = {d["metadata"]["namespace"] for d in DOCUMENTS[1:]}
    assert namespaces == {DOCUMENTS[0]["metadata"]["name"]}


def test_no_two_documents_are_the_same_one() -> None:
    keys = [(d["kind"], d["metadata"]["name"]) for d in DOCUMENTS]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("deployment", DEPLOYMENTS)
def test_labels_and_version_agree(deployment: dict[str, Any]) -> None:
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert set(labels) == {"app", "version"}
    assert deployment["metadata"]["labels"] == labels
    assert deployment["spec"]["selector"]["matchLabels"] == labels
    assert environ(deployment)["VERSION"] == labels["version"]
    assert container(deployment)["image"] == f"meshproof/{labels['app']}:0.1.0"


@pytest.mark.parametrize("deployment", DEPLOYMENTS)
def test_its_service_account_is_there(deployment: dict[str, Any]) -> None:
    account = deployment["spec"]["template"]["spec"]["serviceAccountName"]
    assert account in {a["metadata"]["name"] for a in of("ServiceAccount")}


@pytest.mark.parametrize("deployment", DEPLOYMENTS)
def test_probes_are_answered_by_the_service(deployment: dict[str, Any]) -> None:
    app = (
        create_svca(SvcaSettings.from_env(environ(deployment)))
        if deployment["metadata"]["labels"]["app"] == "svca"
        else create_svcb(SvcbSettings.from_env(environ(deployment)))
    )
    ports = {p["name"] for p in container(deployment)["ports"]}
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        get = container(deployment)[probe]["httpGet"]
        assert get["port"] in ports
        assert app.test_client().get(get["path"]).status_code == 200


@pytest.mark.parametrize("deployment", DEPLOYMENTS)
def test_a_stop_has_the_time_it_needs(deployment: dict[str, Any]) -> None:
    conf: dict[str, Any] = {}
    text = (ROOT / "services/common/gunicorn_conf.py").read_text(encoding="utf-8")
    exec(text, conf)
    before = container(deployment)["lifecycle"]["preStop"]["sleep"]["seconds"]
    grace = deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    assert before + conf["graceful_timeout"] < grace


@pytest.mark.parametrize("deployment", DEPLOYMENTS)
def test_it_may_little(deployment: dict[str, Any]) -> None:
    pod = deployment["spec"]["template"]["spec"]["securityContext"]
    assert pod["runAsNonRoot"] is True
    user = pod["runAsUser"]
    assert f"USER {user}:{pod['runAsGroup']}" in (ROOT / "services/Dockerfile").read_text(
        encoding="utf-8"
    )
    own = container(deployment)["securityContext"]
    assert own["allowPrivilegeEscalation"] is False
    assert own["capabilities"] == {"drop": ["ALL"]}
    assert {"requests", "limits"} <= set(container(deployment)["resources"])


@pytest.mark.parametrize("service", by_name(of("Service")))
def test_a_service_has_pods_that_listen(service: dict[str, Any]) -> None:
    [port] = service["spec"]["ports"]
    assert (port["name"], port["port"]) == ("http", 80)
    selector = service["spec"]["selector"].items()
    behind = [
        d
        for d in of("Deployment")
        if selector <= d["spec"]["template"]["metadata"]["labels"].items()
    ]
    assert behind
    for deployment in behind:
        ports = container(deployment)["ports"]
        assert port["targetPort"] in {p["containerPort"] for p in ports}


def test_the_way_in_leads_to_svca() -> None:
    [gateway], [route] = of("Gateway"), of("VirtualService")
    assert route["spec"]["gateways"] == [gateway["metadata"]["name"]]
    [http] = route["spec"]["http"]
    assert http["match"] == [{"uri": {"exact": "/pay"}}]
    assert http["route"] == [{"destination": {"host": "svca", "port": {"number": 80}}}]


def test_every_image_has_a_command_and_loads_what_it_is_called_after() -> None:
    assert set(MESH["images"]) == {container(d)["image"] for d in of("Deployment")}
    for image, entry in MESH["images"].items():
        service = image.partition("/")[2].partition(":")[0]
        assert entry["command"][-1] == f"services.{service}.wsgi:app"
        assert "unix:{socket}" in entry["command"]
        config = entry["command"][entry["command"].index("--config") + 1]
        assert (ROOT / config).is_file()


def test_msgd_is_outside_and_known_by_the_address_that_svcb_calls() -> None:
    [(host, msgd)] = MESH["outside"].items()
    [port] = msgd["ports"]
    urls = {environ(d)["MSGD_URL"] for d in of("Deployment") if "MSGD_URL" in environ(d)}
    assert urls == {f"http://{address}:{port}" for address in msgd["aliases"]}
    by_name_too = SvcbSettings.from_env({})  # its default
    assert by_name_too.msgd_url == f"http://{host}:{port}"
    assert set(msgd["env"]) == {"MSGD_DB"}
    assert MsgdSettings.from_env({"MSGD_DB": msgd["env"]["MSGD_DB"].format(dir=ROOT)})


def test_nothing_of_meshproof_s_own_is_in_them() -> None:
    assert {d["apiVersion"] for d in DOCUMENTS} == {"v1", "apps/v1", "networking.istio.io/v1"}
    assert all("annotations" not in d["metadata"] for d in DOCUMENTS)
