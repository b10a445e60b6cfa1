"""Mistakes that both type checkers must find: each is marked, and a mark that nothing answers to is an error itself."""

from __future__ import annotations

from engine import Engine, Event, Progress, RunStatus, SkillExecutor, Workspace, run_skill, tool


async def mistaken(engine: Engine) -> None:
    """One mistake a line."""
    executor = SkillExecutor(engine)
    await executor.run(42)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    await executor.run("deploy", [1])  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    await executor.run("deploy", timeout="60s")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    await executor.runn("deploy")  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    SkillExecutor("engine")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    SkillExecutor(engine, progress=hears)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    SkillExecutor(engine, ask=answers)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    async with executor.stream("deploy") as run:
        iter(run)  # type: ignore[call-overload] # pyright: ignore[reportArgumentType, reportCallIssue]
        run.result.status = RunStatus.OK  # type: ignore[misc] # pyright: ignore[reportAttributeAccessIssue]
    with engine:  # type: ignore[attr-defined] # pyright: ignore[reportGeneralTypeIssues]
        pass
    Workspace(".")  # type: ignore[call-arg, arg-type] # pyright: ignore[reportCallIssue]
    Engine.open(tools=stock)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    Engine.open(heal="off")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    await run_skill("deploy")  # type: ignore[misc] # pyright: ignore[reportGeneralTypeIssues]
    await stock(1)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


@tool()
async def stock(item: str) -> int:
    """How many there are."""
    return len(item)


def hears(event: Event) -> None:
    """Hears events, not progress."""


def answers(progress: Progress) -> str:
    """Is neither async nor given a question."""
    return progress.message


@tool(effects="read")  # type: ignore[call-arg] # pyright: ignore[reportCallIssue, reportUntypedFunctionDecorator]
def misdeclared() -> None:
    """An option that there is not."""
