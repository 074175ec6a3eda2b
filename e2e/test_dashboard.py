"""The dashboard in a real Chromium, on a real mesh: it shows what was sent, and a rule that is
applied by keyboard is live."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from e2e.payments.rules import EGRESS_BY_ADDRESS, RULES
from e2e.support.browser import Tab, chromium
from e2e.support.cli_mesh import serve
from e2e.support.processes import until
from meshproof.control.routes.dashboard import SupportsDashboard
from meshproof.dashboard.launch import run_beside
from meshproof.mesh import Mesh
from meshproof.pytest_plugin import StartLoad

pytestmark = pytest.mark.long


REFUSED = Path(__file__).parent / "refused"
SENT = 300
NOTIFY = "http://svcb/notify?msg=hello&id=dashboard"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@dataclass
class Dashboard:
    """A tab that shows the dashboard, and its address."""

    tab: Tab
    address: str

    @property
    def page(self) -> Page:
        return self.tab.page


@pytest.fixture
def rules() -> Path:
    return RULES


@pytest.fixture
def look() -> dict[str, object]:
    """The browser context's options: size and theme."""
    return {"viewport": {"width": 1366, "height": 900}}


@pytest.fixture
def dashboard(
    mesh: Mesh, browser: Browser, rules: Path, look: dict[str, object], tmp_path: Path
) -> Iterator[Dashboard]:
    if not isinstance(mesh, SupportsDashboard):
        pytest.skip("the shares and traces that these proofs look at come from the embedded mesh")
    mesh.apply([RULES / "svcb_v0_1_50_v0_2_50.yaml", EGRESS_BY_ADDRESS["v1"]])
    log = tmp_path / "dashboard.log"
    with serve(mesh), run_beside(mesh.name, "", rules, log) as address:
        context = browser.new_context(**look)  # type: ignore[arg-type]
        tab = Tab(context.new_page())
        tab.page.goto(address)
        expect(tab.page.locator("#state")).to_have_text("● live")
        yield Dashboard(tab, address)
        context.close()
    assert log.read_text() == ""


def number(page: Page, source: str, target: str, column: int) -> float:
    """A figure in the table of calls."""
    row = page.locator("#calls tbody tr").filter(has_text=re.compile(f"^{source}{target}"))
    text = row.locator("td").nth(column).inner_text()
    return float(re.sub(r"[^\d.]", "", text) or "nan")


def test_after_a_load_the_graph_shows_what_was_sent(
    dashboard: Dashboard, mesh: Mesh, load: StartLoad
) -> None:
    page = dashboard.page
    running = load()
    running.reach(SENT)
    # Silent edges stay: an earlier proof's calls to what was closed may be there as well.
    nodes = page.locator(".node").filter(has_not=page.get_by_text("no rule allows it"))
    expect(nodes).to_have_count(5)
    titles = nodes.locator(".title").all_inner_texts()
    assert sorted(titles) == ["gateway", "msgd.test", "svca", "svcb", "svcb"]
    expect(page.locator(".map .label")).to_have_count(5)
    expect(page.locator(".map .label", has_text="set 50 %")).to_have_count(2)
    page.locator("#split-chart").scroll_into_view_if_needed()  # charts are drawn when in view
    expect(page.locator("#split-chart .main-svg").first).to_be_visible()
    until(lambda: number(page, "gateway", "svca v0.1", 2) > 0, "requests a second")
    until(lambda: 0 < number(page, "svca v0.1", "svcb v0.1", 7) < 100, "a share of the calls")
    until(lambda: number(page, "svca v0.1", "svcb v0.2", 6) == 50, "the rule's share")
    expect(page.locator("#no-traffic")).to_be_hidden()
    expect(page.locator("#replicas tbody tr")).to_have_count(5)
    running.stop()
    page.locator("#log").scroll_into_view_if_needed()
    expect(page.locator("#lines tbody tr").first).to_be_visible()
    assert dashboard.tab.messages == []
    assert dashboard.tab.hosts() == {"127.0.0.1"}
    page.evaluate("console.error('seen'); fetch('http://127.0.0.2:9/').catch(() => 0)")
    assert any("seen" in line for line in dashboard.tab.messages), "the ear is open"


def test_a_rule_is_applied_by_keyboard_alone(dashboard: Dashboard, mesh: Mesh) -> None:
    page = dashboard.page
    tab_to(page, "document.activeElement.name === 'file'")
    for _ in range(60):
        if page.evaluate("document.activeElement.value") == "svcb_v0_2_100.yaml":
            break
        page.keyboard.press("ArrowDown")
    tab_to(page, "document.activeElement.id === 'do-apply'")
    page.keyboard.press("Enter")
    expect(page.locator("#outcome .good")).to_contain_text("svcb_v0_2_100.yaml is live")
    expect(page.locator("#outcome")).to_contain_text("VirtualService payments/svcb configured")
    newest = page.locator("#events li").first
    expect(newest).to_contain_text("apply rules/svcb_v0_2_100.yaml")
    expect(newest.locator(".duration")).to_have_text(re.compile(r"^\d+(\.\d)? ms$"))
    expect(page.locator("#announcement")).to_contain_text("svcb_v0_2_100.yaml: live after")
    assert page.evaluate("document.activeElement.id") == "do-apply", "the focus stays"
    versions = {json.loads(mesh.curl("svca", NOTIFY).body)["version"] for _ in range(20)}
    assert versions == {"v0.2"}, "of 20 by turns, each once in a million were it still 50/50"


def test_a_reset_is_asked_for_twice(dashboard: Dashboard, mesh: Mesh) -> None:
    page = dashboard.page
    assert "VirtualService payments/svcb" in mesh.status().resources
    page.locator("#do-reset").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#do-reset")).to_have_text("Press again to reset")
    assert "VirtualService payments/svcb" in mesh.status().resources
    page.keyboard.press("Enter")
    expect(page.locator("#outcome .good")).to_contain_text("The mesh is back to its initial state")
    assert "VirtualService payments/svcb" not in mesh.status().resources


def tab_to(page: Page, expression: str) -> None:
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate(expression):
            return
    raise AssertionError(f"40 times Tab, and never {expression}")


class TestRefused:
    @pytest.fixture
    def rules(self) -> Path:
        return REFUSED

    def test_a_refused_rule_shows_its_message(self, dashboard: Dashboard, mesh: Mesh) -> None:
        page = dashboard.page
        before = mesh.status().version
        page.locator("input[value='weight_as_text.yaml']").check()
        page.locator("#do-apply").click()
        message = (
            "refused/weight_as_text.yaml:10: VirtualService svcb: spec.http[0].route[0].weight"
        )
        expect(page.locator("#outcome .wrong")).to_contain_text("the mesh is unchanged")
        expect(page.locator("#outcome .wrong")).to_contain_text(message)
        expect(page.locator("#events li").first).to_contain_text(message)
        expect(page.locator("#events li").first.locator(".pill")).to_have_text("✕ refused")
        assert mesh.status().version == before


def test_a_trace_opens_as_a_waterfall(dashboard: Dashboard, load: StartLoad) -> None:
    page = dashboard.page
    running = load()
    running.reach(30).stop()
    whole = page.locator("#trace-list button", has_text="5 spans").first
    page.locator("#tag").fill(f"run_id={running.run_id}")

    def search() -> int:
        with page.expect_response(lambda response: running.run_id in response.url):
            page.locator("#search button").click()
        page.wait_for_timeout(250)
        return whole.count()

    until(search, "the sidecars have sent their spans")
    whole.focus()
    page.keyboard.press("Enter")
    rows = page.locator("#waterfall details")
    expect(rows).to_have_count(5)
    services = rows.locator(".about b").all_inner_texts()
    assert services[0] == "istio-ingressgateway"
    assert services[1:3] == ["svca", "svca"]
    assert services[3:] == ["svcb", "svcb"]
    positions = [box["x"] for bar in rows.locator(".span").all() if (box := bar.bounding_box())]
    assert positions == sorted(positions), "none begins before its parent"
    rows.nth(1).locator("summary").focus()
    page.keyboard.press("Enter")
    expect(rows.nth(1).locator("dl")).to_contain_text(running.run_id)
    assert dashboard.tab.messages == []


def test_the_log_is_filtered_as_one_types(dashboard: Dashboard, mesh: Mesh) -> None:
    page = dashboard.page
    mesh.curl("svca", "http://10.9.8.7/x")
    page.locator("#filter").fill("10.9.8.7")
    line = page.locator("#lines tbody tr").first
    expect(line).to_contain_text("502")
    expect(line).to_contain_text("GET 10.9.8.7/x")
    page.locator("#filter").fill("no such words")
    expect(page.locator("#log-status")).to_have_text("No line contains no such words.")


class TestNarrowAndDark:
    @pytest.fixture
    def look(self) -> dict[str, object]:
        return {
            "viewport": {"width": 400, "height": 800},
            "color_scheme": "dark",
            "reduced_motion": "reduce",
        }

    def test_it_folds_and_follows_the_system(self, dashboard: Dashboard, load: StartLoad) -> None:
        page = dashboard.page
        load().reach(50).stop()
        expect(page.locator("#map")).to_have_class(re.compile("upright"))
        expect(page.locator("#calls tbody tr").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") == 400
        assert page.locator("html").get_attribute("data-theme") == "dark"
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(14, 19, 25)"
        page.locator("#theme").click()  # from auto to light
        expect(page.locator("html")).to_have_attribute("data-theme", "light")
        page.reload()
        expect(page.locator("html")).to_have_attribute("data-theme", "light")
        assert page.evaluate("document.getAnimations().length") == 0
        assert dashboard.tab.messages == []


OVERLAPS = """() => {
    const boxes = [...document.querySelectorAll(".map .node, .map .label")]
        .map((e) => [e.innerText, e.getBoundingClientRect()]);
    const upon = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 8
        && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 8;
    return boxes.flatMap(([one, a], i) => boxes.slice(i + 1)
        .filter(([, b]) => upon(a, b)).map(([other]) => `${one} / ${other}`));
}"""


def test_nothing_of_the_graph_lies_upon_another(dashboard: Dashboard, load: StartLoad) -> None:
    page = dashboard.page
    running = load()
    running.reach(100)
    expect(page.locator(".map .label")).to_have_count(5)
    for width in (1366, 1024, 400):
        page.set_viewport_size({"width": width, "height": 900})
        expect(page.locator(".map.upright")).to_have_count(int(width == 400))
        assert page.evaluate(OVERLAPS) == [], width
    page.add_style_tag(content=".map .label { width: 300px }")
    assert page.evaluate(OVERLAPS) != [], "an overlap is seen"
    running.stop()


def test_every_control_has_a_name(dashboard: Dashboard) -> None:
    unnamed = dashboard.page.evaluate(
        """() => [...document.querySelectorAll("input, select, button, summary, a[href]")]
            .filter((e) => !(e.getAttribute("aria-label") || e.labels?.[0]?.innerText
                             || e.innerText.trim()))
            .map((e) => e.outerHTML)"""
    )
    assert unnamed == []


def test_a_page_of_another_origin_changes_nothing(dashboard: Dashboard, mesh: Mesh) -> None:
    """The browser has the cookie and sends what it may; the answer is still 403."""
    page, before = dashboard.page, mesh.status().version
    origin = page.evaluate("location.origin")
    stranger = page.context.new_page()
    stranger.goto("data:text/html,<title>stranger</title>")
    statuses: list[int] = []
    stranger.on("response", lambda answer: statuses.append(answer.status))
    stranger.evaluate(
        f"fetch('{origin}/api/reset', {{method: 'POST', mode: 'no-cors', credentials: 'include'}})"
        ".catch(() => 0)"
    )
    assert set(statuses) <= {403}
    assert mesh.status().version == before
    expect(page.locator("#events li", has_text="reset")).to_have_count(0)


def test_it_says_when_the_mesh_is_gone(dashboard: Dashboard, browser: Browser) -> None:
    page = dashboard.page
    page.route("**/api/live", lambda route: route.abort())
    page.reload()
    expect(page.locator("#state")).to_have_text("✕ not running")
    expect(page.locator("#not-running")).to_contain_text("does not answer")
