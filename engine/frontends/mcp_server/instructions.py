"""What an agent is told about working with this server, before it calls anything."""

from __future__ import annotations

from engine.frontends.mcp_server.serving import Serving
from engine.frontends.mcp_server.tiers import Tier

LOOKING = """\
This server runs operational chores as skills: files whose steps call tools, heal themselves (a token that expired is
renewed, a network that is down is connected) and are journaled, each done once.

1. Find the skill: skill_list(query=...), then skill_describe(name) for its inputs, steps and effect. Many skills are
   tools of their own, with exact schemas.
"""
RUNNING = """\
2. Run it: its own tool, or skill_run(name, inputs). The answer says `status`:
   ok         `outputs` has the result
   running    it takes longer than the call: run_status(run_id, wait_seconds=50), again until it has ended; do not run
              it a second time
   waiting    it asks: show `questions` to a person unless you were told the answer, then run_answer(run_id, answers)
   blocked    something must be true first: `message` says what
   failed     `failed` says step, kind, root cause and what helps; nothing is gained by the same call at once
   cancelled  it was ended, and what it did was undone
   Every answer has `next`: what to call now.
3. A run goes on when the connection ends. Find it by its id: run_status(run_id); without an id, the latest runs.
   run_cancel(run_id) ends one, and undoes what it did.
4. When a tool fails: check_known_issues(tool_name, error_text), debug_tool(tool_name). When you have found what helps:
   learn_tool_fix(...), so that it is known next time. tool_exec(name, args) calls one tool, healed.
"""
READING = """\
2. This server only shows things: runs are begun by people. run_status(run_id) and run_logs(run_id) tell how they went.
3. When a tool fails: check_known_issues(tool_name, error_text) and debug_tool(tool_name) tell what is known.
"""
FIXES = {
    Tier.READ: "",
    Tier.RUN: """\
Questions about fixes (`about: fix`) and destructive tools wait for a person: `skill answer RUN` in a terminal.
""",
    Tier.APPROVE_FIXES: """\
You may answer questions about fixes (`about: fix`), too: agree only when you understand what the fix does.
""",
}


def instructions(serving: Serving) -> str:
    """The text for what this server's clients may do."""
    working = RUNNING if serving.allow.allows(Tier.RUN) else READING
    return f"{LOOKING}{working}{FIXES[serving.allow]}Secrets are shown as ••• everywhere."
