"""Every shipped skill is rehearsed, through the real command, and its rehearsals notice when it changes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from engine.run.rehearsal.reading import read_rehearsals
from tests.shell import Shell

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted(Path(__file__).parent.glob("*.yaml"))
SKILLS = sorted(path.stem for path in (ROOT / "skills").glob("*.yaml"))

pytestmark = pytest.mark.timeout(300)


def test_every_rehearsal_of_the_checkout_passes(tmp_path: Path) -> None:
    """`skill test` in the checkout finds and plays all of them."""
    record = Shell(folder=ROOT, home=tmp_path / "home").json("test")
    assert (record["failed"], record["findings"]) == (0, [])
    assert {each["skill"] for each in record["rehearsals"]} == set(SKILLS)
    assert {each["file"] for each in record["rehearsals"]} == {str(path.relative_to(ROOT)) for path in FILES}


@pytest.mark.parametrize("skill", SKILLS)
def test_every_shipped_skill_is_rehearsed(skill: str) -> None:
    """When all is well, with a heal, and when it ends badly."""
    statuses = set()
    heals = 0
    for rehearsal in (each for path in FILES for each in read_rehearsals(path) if each.skill == skill):
        statuses.add(rehearsal.expected.status.value)
        heals += any(wanted.value for wanted in rehearsal.expected.heals)
    assert {"ok", "failed"} <= statuses
    assert heals


CHANGES: dict[str, tuple[str, str, str]] = {
    "the namespace is not given back": ("test_mr_ephemeral", "inputs.cleanup_on_failure\n", "false\n"),
    "the password is no secret": ("test_mr_ephemeral", "    secret: true\n", ""),
    "the namespace is held for longer": ("test_mr_ephemeral", '"{{ inputs.duration }}"', "2h"),
    "another application is deployed": ("test_mr_ephemeral", 'app: "{{ app.name }}"', "app: main"),
    "a dry run of the main job deploys": ("test_mr_ephemeral", "condition: inputs.dry_run", "condition: false"),
    "only one pod is asked why it fails": ("test_mr_ephemeral", "most_pods: 3", "most_pods: 1"),
    "failing tests do not count": ("test_mr_ephemeral", "tests and not tests.ok", "False and tests"),
    "the namespace is kept": (
        "test_mr_ephemeral",
        "condition: inputs.cleanup_on_success",
        "condition: false",
    ),
    "the tag is shortened": ("build_local_image", 'commit: "{{ commit.sha }}"', 'commit: "{{ commit.short }}"'),
    "silences are made without asking": (
        "silence_alert",
        "condition: not inputs.approved",
        "condition: inputs.approved == 'never'",
    ),
    "silences are not ended again": ("silence_alert", 'id: "{{ silenced.silence.id }}"', 'id: "{{ run.id }}"'),
    "a dry run silences": ("silence_alert", "condition: inputs.dry_run", "condition: false"),
    "a threshold hides the course": ("investigate_alert", '"{{ each.measures }}"', '"{{ each.query }}"'),
    "an image that is not there counts as clean": (
        "scan_vulnerabilities",
        'for each in images if each["status"] != "scanned"]',
        'for each in images if each["status"] == "unread"]',
    ),
    "the severity is ignored": ("scan_vulnerabilities", 'severity: "{{ inputs.severity }}"', "severity: low"),
    "weaknesses do not count": ("scan_vulnerabilities", "inputs.must_be_clean and (", "False and ("),
    "pipelines are cancelled without asking": (
        "cancel_pipeline",
        "condition: not inputs.approved",
        "condition: inputs.approved == 'never'",
    ),
    "a dry run cancels": ("cancel_pipeline", "condition: inputs.dry_run", "condition: false"),
    "all pipelines are cancelled, also those that ended": ("cancel_pipeline", "state: active", 'state: ""'),
    "a restart asks nobody": ("rollout_restart", "condition: not inputs.approved", "condition: false"),
    "a restart goes on after one that failed": ("rollout_restart", "        expect: result\n", ""),
    "replicas are not taken back": (
        "scale_deployment",
        'replicas: "{{ before.wanted }}"',
        'replicas: "{{ inputs.replicas }}"',
    ),
    "another number than before is overwritten": (
        "scale_deployment",
        '      expected: "{{ before.wanted }}"\n',
        "",
    ),
    "ill pods are not looked at": ("environment_overview", 'one["failing"][:3]', "[]"),
    "last words are not read": ("debug_prod", "      previous: true\n", ""),
    "another cluster is looked into": ("debug_prod", 'heal: {domain: "{{ inputs.environment }}"}', "heal: {}"),
    "an old secret is good": ("check_secrets", 'one["age"] > limit', "False"),
    "what gets ill is kept": ("deploy_to_ephemeral", '"{{ reserve.name }}"', '"{{ run.id }}"'),
    "it deploys into a namespace of somebody else": (
        "deploy_to_ephemeral",
        "condition: inputs.namespace and inputs.namespace not in ours.names",
        "condition: false",
    ),
    "leases of others are extended": ("extend_ephemeral", "condition: plan.foreign", "condition: false"),
    "a release asks nobody": ("release_to_prod", "not inputs.approved and not standing", "false"),
    "what was not tested is released": (
        "release_to_prod",
        "tests.outcome != 'passed' or tests.failed or tests.waiting",
        "false",
    ),
    "it is released twice": ("release_to_prod", "condition: not standing\n", "condition: true\n"),
    "a pod with another image will do": ("release_to_prod", " and not (inputs.selector and result.lacking)", ""),
    "what still runs has passed": ("check_integration_tests", " or report.waiting or ", " or "),
    "failed tests are no trouble": ("konflux_status", 'snapshot["tests"] == "failed"', "False"),
    "another output": ("build_local_image", 'value: "{{ image.digest }}"', 'value: "{{ image.tag }}"'),
}
"""What is changed in which skill: its text, and the text in its place."""


@pytest.fixture(scope="module")
def noticed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, str]]:
    """What `skill test` says of each change, made in the own copy of a workspace; one process plays them all."""
    around = tmp_path_factory.mktemp("changes")
    places = {change: around / str(number) for number, change in enumerate(CHANGES)}
    for change, place in places.items():
        _spoil(change, place)
    told = Shell(folder=around, home=around / "home").each(*(["-C", str(place), "test"] for place in places.values()))
    return dict(zip(places, told, strict=True))


def _spoil(change: str, place: Path) -> None:
    skill, old, new = CHANGES[change]
    text = (ROOT / "skills" / f"{skill}.yaml").read_text()
    assert old in text, change
    for part in ("skills", "rehearsals"):
        (place / part).mkdir(parents=True)
    (place / "skills" / f"{skill}.yaml").write_text(text.replace(old, new))
    shutil.copy(Path(__file__).with_name(f"{skill}.yaml"), place / "rehearsals")


@pytest.mark.parametrize("change", CHANGES)
def test_a_rehearsal_fails_when_its_skill_does_something_else(change: str, noticed: dict[str, tuple[int, str]]) -> None:
    """A change that does harm is noticed."""
    status, said = noticed[change]
    assert status == 1, said
    assert "✗" in said
