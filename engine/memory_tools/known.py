"""`check_known_issues` and `learn_tool_fix`: what memory knows of a failure, and what it is told about one."""

from __future__ import annotations

from collections.abc import Iterable

from engine.errors import DocumentError, InputError
from engine.heal.detect import diagnose, matching
from engine.memory import Memory
from engine.memory.fixes import FILE, FixEntry
from engine.memory_tools.parts import MemoryParts
from engine.memory_tools.results import Issue, KnownIssues, Learned
from engine.model.failure import Diagnosis, Evidence, Failure, Pattern
from tool_registry.sources.definition import program_of
from tool_registry.tool import Tool, ToolError

LONGEST = 20_000
"""Characters of an error that are looked at."""
SHOWN = 2_000
"""Characters of an error that an answer repeats."""
AGAIN = "When {tool} says this again, the fix is shown with the failure."
NO_NEWS = "All of this was known."


async def check_known_issues(parts: MemoryParts, tool_name: str = "", error_text: str = "") -> KnownIssues:
    """What is known of the tool, the error, or both: fixes that worked, and the patterns that speak on the text.

    Raises InputError when neither is given.
    """
    if not tool_name and not error_text.strip():
        raise InputError("neither a tool nor an error was named", hint="give tool_name, error_text, or both")
    text = str(parts.secrets.mask(error_text[:LONGEST]))
    try:
        program = program_heard(parts.registry.get_tool(tool_name)) if tool_name else None
    except (ToolError, DocumentError):  # what a tool said is known also when it is there no more
        program = None
    return known_issues(parts.memory, tool_name, text, program=program)


def program_heard(tool: Tool) -> str | None:
    """The program a tool runs, where that is just one: patterns of that program are heard too."""
    needed = [name.partition(">=")[0] for name in tool.needs.programs]
    return program_of(tool) or (needed[0] if len(needed) == 1 else None)


async def learn_tool_fix(
    parts: MemoryParts,
    tool_name: str,
    error_pattern: str,
    root_cause: str,
    fix_description: str,
    *,
    cause: str = "",
) -> Learned:
    """Keeps a fix that worked, so that it is shown when the tool fails with these words again.

    `cause` is the id of the root cause that the engine finds for this mistake, where it finds one. Raises InputError
    for texts that cannot be kept, DocumentError when the file is broken or cannot be written.
    """
    changed = parts.memory.fixes.learn(tool_name, error_pattern, root_cause, fix_description, cause=cause)
    return Learned(
        file=FILE,
        tool_name=tool_name,
        error_pattern=" ".join(parts.secrets.mask(error_pattern).split()),
        root_cause=" ".join(parts.secrets.mask(root_cause).split()),
        fix=" ".join(parts.secrets.mask(fix_description).split()),
        changed=changed,
        again=AGAIN.format(tool=tool_name) if changed else NO_NEWS,
    )


def known_issues(memory: Memory, tool: str, text: str, *, program: str | None = None) -> KnownIssues:
    """What memory knows of a tool and of what it said."""
    told = diagnosis(memory, tool, text, program=program) if text.strip() else None
    return KnownIssues(
        tool_name=tool,
        error_text=text[:SHOWN],
        kind=told.kind.value if told else "",
        confidence=round(told.confidence, 3) if told else 0.0,
        because=told.because if told else "",
        issues=issues_of(memory, tool, text, program=program),
    )


def diagnosis(memory: Memory, tool: str, text: str, *, program: str | None = None) -> Diagnosis:
    """What the words of a failure mean, with nothing but the words to go by."""
    failure = Failure(message=text, tool=tool, evidence=Evidence(text=text, program=program))
    return diagnose(failure, memory.patterns.all())


def issues_of(memory: Memory, tool: str, text: str, *, program: str | None = None) -> list[Issue]:
    """The known fixes of the tool whose words stand in the text, then the patterns that speak on it."""
    spoken = matching(text, program, memory.patterns.all()) if text.strip() else ()
    return [*map(of_entry, memory.fixes.entries(tool, text)), *_of_patterns(spoken)]


def of_entry(entry: FixEntry) -> Issue:
    """What an entry of the fix book says."""
    return Issue(
        source="tool_fixes.yaml",
        tool_name=entry.tool,
        meaning=entry.error_pattern,
        root_cause=entry.root_cause,
        fix=entry.fix,
        date_learned=entry.date_learned,
        times_prevented=entry.times_prevented,
    )


def _of_patterns(patterns: Iterable[Pattern]) -> list[Issue]:
    """What the patterns say, each sentence once: several often speak on the same words, and mean the same."""
    once = {(each.meaning or each.id, each.fix or "", tuple(each.commands)): None for each in patterns}
    return [
        Issue(source="patterns.yaml", meaning=meaning, fix=fix, commands=list(commands))
        for meaning, fix, commands in once
    ]
