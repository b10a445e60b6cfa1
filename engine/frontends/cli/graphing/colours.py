"""The colours of the picture, for pages with a light and with a dark ground; they are also told in words or signs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.library.graph import NodeKind, State

Palette = Mapping[str, str]

LIGHT: Palette = {
    "paper": "#ffffff",
    "card": "#ffffff",
    "around": "#fafbfc",
    "header": "#f3f5f8",
    "border": "#d0d7de",
    "ink": "#1f2328",
    "dim": "#59636e",
    "line": "#8c959f",
    "faint": "#d0d7de",
    "on": "#1a7f37",
    "gate": "#fff8e1",
    "gate-border": "#d4a72c",
    "gate-ink": "#5f4b00",
    "round": "#32383f",
    "round-ink": "#ffffff",
    "name": "#0969da",
}
DARK: Palette = {
    "paper": "#0d1117",
    "card": "#161b22",
    "around": "#10151c",
    "header": "#1c2330",
    "border": "#30363d",
    "ink": "#e6edf3",
    "dim": "#9198a1",
    "line": "#6e7681",
    "faint": "#30363d",
    "on": "#3fb950",
    "gate": "#2b2411",
    "gate-border": "#9e7a1b",
    "gate-ink": "#eac54f",
    "round": "#d1d7e0",
    "round-ink": "#0d1117",
    "name": "#4493f8",
}
KINDS: Mapping[str, tuple[str, str]] = {
    NodeKind.TOOL: ("#0969da", "#4493f8"),
    NodeKind.COMPUTE: ("#8250df", "#ab7df8"),
    NodeKind.SKILL: ("#1b7c83", "#39c5cf"),
    NodeKind.ASK: ("#bf3989", "#db61a2"),
    NodeKind.STEPS: ("#59636e", "#9198a1"),
    NodeKind.PARALLEL: ("#59636e", "#9198a1"),
    NodeKind.ALWAYS: ("#59636e", "#9198a1"),
    NodeKind.UNDO: ("#bc4c00", "#f0883e"),
    "stop-ok": ("#1a7f37", "#3fb950"),
    "stop-blocked": ("#bf8700", "#d29922"),
    "stop-failed": ("#cf222e", "#f85149"),
}
"""By what a step does, or what its `stop` makes of the run: on a light ground, and on a dark one."""
STATES: Mapping[str, tuple[str, str]] = {
    State.OK: ("#1a7f37", "#3fb950"),
    State.HEALED: ("#0b7285", "#39c5cf"),
    State.SKIPPED: ("#59636e", "#9198a1"),
    State.TOLERATED: ("#8a5d00", "#d29922"),
    State.FAILED: ("#cf222e", "#f85149"),
    State.RUNNING: ("#0969da", "#4493f8"),
    State.STOPPED: ("#bc4c00", "#f0883e"),
    State.WAITING: ("#8250df", "#ab7df8"),
    State.UNREACHED: ("#656d76", "#8b929a"),
}
"""By how a step ended."""

_SHAPES = """\
.skill-graph text{font-family:system-ui,-apple-system,"Segoe UI","DejaVu Sans",sans-serif;font-size:11px}
.skill-graph .name,.skill-graph .does,.skill-graph .if{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,\
"DejaVu Sans Mono",monospace}
.skill-graph .name{font-size:13px;font-weight:600}
.skill-graph .badge{font-weight:600;text-anchor:end}
.skill-graph .title{font-size:20px;font-weight:600}
.skill-graph .about-all{font-size:13px}
.skill-graph .box,.skill-graph .rim,.skill-graph .wire{stroke-width:1.2}
.skill-graph .wire,.skill-graph .arc,.skill-graph .rim{fill:none}
.skill-graph .skip,.skill-graph .undo-wire,.skill-graph .undo .box,.skill-graph .s-skipped .box{stroke-dasharray:4 3}
.skill-graph .on{stroke-width:2}
.skill-graph .arc{opacity:.5}
.skill-graph .arc:hover{opacity:1;stroke-width:3}
"""


def style_sheet() -> str:
    """The style of every part, light by itself and dark where the reader's screen is."""
    light, dark = (list(_rules(palette, index)) for index, palette in enumerate((LIGHT, DARK)))
    return f"{_SHAPES}{_joined(light)}@media (prefers-color-scheme:dark){{\n{_joined(dark)}}}\n"


def _joined(rules: list[str]) -> str:
    return "".join(f".skill-graph {rule}\n" for rule in rules)


def _rules(palette: Palette, index: int) -> Iterator[str]:
    """The colours of one ground; `index` is that of its colours in `KINDS` and `STATES`."""
    told = palette
    yield f".paper{{fill:{told['paper']}}}"
    yield f"text{{fill:{told['ink']}}}"
    yield f".does,.skill-graph .about,.skill-graph .about-all{{fill:{told['dim']}}}"
    yield f".box{{fill:{told['card']};stroke:{told['border']}}}"
    yield f".rim{{stroke:{told['border']}}}"
    yield f".around .box{{fill:{told['around']}}}"
    yield f".header{{fill:{told['header']}}}"
    yield f".condition .box{{fill:{told['gate']};stroke:{told['gate-border']}}}"
    yield f".if{{fill:{told['gate-ink']}}}"
    yield f".start .box,.skill-graph .end .box{{fill:{told['round']};stroke:{told['round']}}}"
    yield f".start text,.skill-graph .end text{{fill:{told['round-ink']}}}"
    yield f".wire{{stroke:{told['line']}}}"
    yield f".head,.skill-graph .bar{{fill:{told['line']}}}"
    yield f".off{{stroke:{told['faint']}}}"
    yield f".head.off,.skill-graph .bar.off{{fill:{told['faint']};stroke:none}}"
    yield f".on{{stroke:{told['on']}}}"
    yield f".head.on,.skill-graph .bar.on{{fill:{told['on']};stroke:none}}"
    yield f".undo-wire{{stroke:{KINDS[NodeKind.UNDO][index]}}}"
    yield f".head.undo-head{{fill:{KINDS[NodeKind.UNDO][index]}}}"
    yield f".undo-wire.off{{stroke:{told['faint']}}}"
    yield f".head.undo-head.off{{fill:{told['faint']}}}"
    yield f".arc{{stroke:{told['name']}}}"
    yield f".reader{{fill:{told['name']}}}"
    yield f".mark{{fill:{KINDS[NodeKind.COMPUTE][index]}}}"
    for kind, colours in KINDS.items():
        yield f".{kind} .stripe{{fill:{colours[index]}}}"
    for state, colours in STATES.items():
        name = state_class(State(state))
        yield f".{name} .stripe{{fill:{colours[index]}}}"
        yield f".{name} .badge,.skill-graph .{name} .told,.skill-graph tspan.{name}{{fill:{colours[index]}}}"
        if state in (State.SKIPPED, State.UNREACHED):
            yield f".{name} text{{fill:{told['dim']}}}"
            yield f".{name} .stripe{{fill:{told['border']}}}"
            yield f".condition.{name} .box{{fill:{told['paper']};stroke:{told['border']}}}"
        else:
            yield f".end.{name} .box{{fill:{colours[index]};stroke:{colours[index]}}}"
            yield f".{name}.step .box,.skill-graph .{name}.step .rim{{stroke:{colours[index]}}}"


def state_class(state: State) -> str:
    """The class of what ended so."""
    return f"s-{state.value.replace(' ', '-')}"
