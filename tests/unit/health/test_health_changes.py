"""People are told of every change once: trouble, its end, and nothing twice."""

from __future__ import annotations

from dataclasses import replace

from engine.health.changes import settled
from engine.model.health import HealthCheck, HealthNotice, HealthReport, Part, Remembered, Wellbeing, subject

AT = 1_795_176_000.0
WELL, ENDING, UNWELL, UNKNOWN = Wellbeing.WELL, Wellbeing.ENDING, Wellbeing.UNWELL, Wellbeing.UNKNOWN


def report(*parts: Part, name: str = "door") -> HealthReport:
    """A look at one domain."""
    return HealthReport(at=AT, checks=(HealthCheck(name=name, parts=parts),))


def part(state: Wellbeing, message: str = "", name: str = "road") -> Part:
    """One part of it."""
    return Part(name=name, state=state, at=AT, message=message)


def repaired(before: Wellbeing, trouble: str = "refused") -> Part:
    """A part that is well because its fix helped just now."""
    return replace(part(WELL), fix="build_road()", fixed=True, before=before, trouble=trouble)


def looks(*reports: HealthReport) -> list[tuple[HealthNotice, ...]]:
    """What is told after each of some looks, each remembering the one before."""
    known: dict[str, Remembered] = {}
    told = []
    for each in reports:
        after, notices = settled(each, known)
        told.append(notices)
        known = {
            subject(check.name, found.name): Remembered(state=found.state, since=found.since, told=found.told)
            for check in after.checks
            for found in check.parts
        }
    return told


def texts(told: list[tuple[HealthNotice, ...]]) -> list[list[str]]:
    """Their words."""
    return [[notice.text for notice in notices] for notices in told]


def test_what_is_well_from_the_beginning_is_not_worth_a_word() -> None:
    """Silence means that all is well."""
    assert looks(report(part(WELL)), report(part(WELL))) == [(), ()]


def test_trouble_is_told_once_and_its_end_once() -> None:
    """Not in every look."""
    bad = report(part(UNWELL, "refused"))
    assert texts(looks(bad, bad, bad, report(part(WELL)), report(part(WELL)))) == [
        ["door/road is not well: refused"],
        [],
        [],
        ["door/road is well again"],
        [],
    ]


def test_trouble_that_is_described_anew_is_the_same_trouble() -> None:
    """Numbers in a message change; the state did not."""
    assert texts(looks(report(part(UNWELL, "3 s ago")), report(part(UNWELL, "303 s ago"))))[1] == []


def test_what_was_repaired_in_the_same_look_is_told_with_its_end() -> None:
    """That it had been down is worth knowing, and so is that it is up."""
    (told,) = looks(report(repaired(UNWELL)))
    assert [notice.text for notice in told] == [
        "door/road is not well: refused",
        "door/road is well again: build_road() repaired it",
    ]
    assert [notice.level for notice in told] == ["warning", "note"]


def test_a_repair_of_known_trouble_tells_only_that_it_is_over() -> None:
    """The trouble was told in the look before."""
    told = texts(looks(report(part(UNWELL, "refused")), report(repaired(UNWELL))))
    assert told[1] == ["door/road is well again: build_road() repaired it"]


def test_a_token_renewed_in_time_is_nothing_to_tell() -> None:
    """It never failed; history counts it."""
    assert looks(report(repaired(ENDING))) == [()]


def test_a_token_that_ends_soon_and_was_not_renewed_is_told_once() -> None:
    """Then that it ended, then that there is a new one."""
    ending, ended = report(part(ENDING, "holds 8 min")), report(part(UNWELL, "expired"))
    told = texts(looks(ending, ending, ended, report(part(WELL))))
    assert told == [
        ["door/road will soon fail: holds 8 min"],
        [],
        ["door/road is not well: expired"],
        ["door/road is well again"],
    ]


def test_what_is_not_known_is_told_when_it_lasts() -> None:
    """One look that could not be made may be chance; two in a row are told, once."""
    unknown = report(part(UNKNOWN, "no answer within 2 s"))
    told = texts(looks(report(part(WELL)), unknown, report(part(WELL)), unknown, unknown, unknown, report(part(WELL))))
    assert told == [
        [],
        [],
        [],
        [],
        ["nobody knows how door/road is: no answer within 2 s"],
        [],
        ["door/road is well again"],
    ]


def test_an_unknown_look_between_two_bad_ones_does_not_tell_the_trouble_again() -> None:
    """What people know is that it is not well, and that is still so."""
    bad = report(part(UNWELL, "refused"))
    assert texts(looks(bad, report(part(UNKNOWN)), bad))[1:] == [[], []]


def test_the_same_trouble_of_several_is_told_in_one_sentence() -> None:
    """One cable, one notice."""
    checks = tuple(
        HealthCheck(name=name, parts=(part(UNWELL, "refused"),)) for name in ("ephemeral", "forge", "registry")
    )
    (told,) = looks(HealthReport(at=AT, checks=checks))
    assert [notice.text for notice in told] == ["ephemeral/road, forge/road and registry/road are not well: refused"]


def test_a_fix_that_did_not_help_is_named() -> None:
    """So that nobody tries it again."""
    bad = replace(part(UNWELL, "refused"), fix="build_road()", fixed=False, before=UNWELL)
    assert texts(looks(report(bad))) == [["door/road is not well: refused; build_road() did not help"]]


def test_since_is_when_it_became_so() -> None:
    """It does not move while nothing changes."""
    first, _ = settled(report(part(UNWELL)), {})
    known = {"door/road": Remembered(state=UNWELL, since=AT - 900, told=UNWELL)}
    second, _ = settled(report(part(UNWELL)), known)
    assert (first.checks[0].parts[0].since, second.checks[0].parts[0].since) == (AT, AT - 900)
