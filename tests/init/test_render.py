"""The file that `meshproof init` writes: every image, every outside host, and nothing assumed."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshproof.errors import Refused
from meshproof.init.external_hosts import find_external_hosts
from meshproof.init.render import render_project_file
from meshproof.model.reader import read_text
from meshproof.project import RealAddress, load_project

SHOP = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      initContainers: [{name: wait, image: "busybox:1", command: [sh, -c, "sleep 1"]}]
      containers:
      - name: web
        image: localhost:5000/web:1
        command: [python, web.py, --listen, "0.0.0.0:8080"]
        ports: [{containerPort: 8080}]
        env:
        - {name: RATES, value: "https://Rates.example.com/v1"}
        - {name: CART, value: "http://cart.shop.svc.cluster.local:8080"}
        - {name: BOOKS, value: "http://books.shop/x, http://localhost:1 http://pay.test:9000"}
      - {name: proxy, image: "nginx:1", ports: [{containerPort: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: books, namespace: shop}
spec: {ports: [{port: 80}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: out, namespace: shop}
spec:
  hosts: [pay.test, "*.cdn.test"]
  ports: [{number: 443, name: tls, protocol: TLS}]
  resolution: NONE
"""


def test_external_hosts_are_those_of_entries_and_urls_that_no_service_has() -> None:
    ports_by_host = {
        host: sorted(ports)
        for host, (ports, _) in find_external_hosts(read_text(SHOP, "f")).items()
    }
    assert ports_by_host == {
        "pay.test": [443, 9000],
        "*.cdn.test": [443],
        "rates.example.com": [443],
    }


def test_it_is_read_as_a_project_once_its_todos_are_done(tmp_path: Path) -> None:
    text = render_project_file(["k8s"], read_text(SHOP, "f"))
    file = tmp_path / "meshproof.yaml"
    file.write_text(text)
    with pytest.raises(Refused) as refused:
        load_project(file)
    lines = text.splitlines()
    for problem in refused.value.problems:
        assert "TODO" in lines[problem.line - 1]
        assert problem.found.startswith("is still TODO")
    assert len(refused.value.problems) == 3
    file.write_text(text.replace("TODO}", "18080}").replace("TODO,", "18081,"))
    project = load_project(file)
    assert list(project.images) == ["localhost:5000/web:1"]
    assert project.images["localhost:5000/web:1"].command == [
        "{python}", "web.py", "--listen", "{ip}:{port}"
    ]  # fmt: skip
    assert project.outside["rates.example.com"].ports == {
        443: RealAddress(ip="127.0.0.1", port=18080)
    }


def test_what_runs_beside_an_app_is_offered_not_run() -> None:
    text = render_project_file(["k8s"], read_text(SHOP, "f"))
    assert '  #   busybox:1:\n  #     command: ["{command}"]\n' in text
    assert '  #   nginx:1:\n  #     command: ["TODO", "{ip}:{port}"]\n' in text


def test_manifests_without_workloads_need_no_table(tmp_path: Path) -> None:
    text = render_project_file(
        ["a b.yaml"], read_text("apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}", "f")
    )
    (tmp_path / "meshproof.yaml").write_text(text)
    project = load_project(tmp_path / "meshproof.yaml")
    assert project.manifests == (tmp_path / "a b.yaml",)
    assert not project.images
