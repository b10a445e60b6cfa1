"""Questions of a run as forms, and forms as answers; what a call that comes back was told (`request_state`)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types import ElicitRequest, ElicitRequestFormParams, ElicitResult, InputRequiredResult
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import ValidationError

from engine.errors import InputError
from engine.library.inputs import coerced_answer
from engine.model.lazy_dataclass import dataclass
from engine.model.question import Question
from engine.model.skill import InputType

Context = ServerRequestContext[Any, Any]

ANSWER = "answer"
"""The one field of a form."""
TIMES = 3
"""How often a question is asked whose answer does not fit."""
_PLAIN = frozenset({InputType.STRING, InputType.INTEGER, InputType.NUMBER, InputType.BOOLEAN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Parked:
    """What a parked run's call gave its client to bring back; sealed on its way, so that nobody else can make one.

    `asked` are the questions of this round, `declined` those not to be asked again, `times` how often in vain.
    """

    run_id: str
    asked: tuple[str, ...]
    declined: tuple[str, ...] = ()
    times: int = 1

    def text(self) -> str:
        """The state as it is sealed."""
        told = {"run": self.run_id, "asked": self.asked, "declined": self.declined, "times": self.times}
        return json.dumps(told)

    @classmethod
    def of(cls, ctx: Context) -> Parked | None:
        """What the call brought back, unsealed already; None for a call that comes for the first time."""
        text = (ctx.params or {}).get("requestState")
        if text is None:
            return None
        told = json.loads(text)
        return cls(
            run_id=told["run"], asked=tuple(told["asked"]), declined=tuple(told["declined"]), times=told["times"]
        )


def is_modern(ctx: Context) -> bool:
    """Whether the client is asked by a result that it answers with the same call, not by a request of the server."""
    return ctx.protocol_version in MODERN_PROTOCOL_VERSIONS


def may_ask(ctx: Context) -> bool:
    """Whether the client shows forms; one that names no mode means forms, as the protocol once had nothing else."""
    known = ctx.session.client_capabilities
    asks = known.elicitation if known else None
    return asks is not None and (asks.form is not None or asks.url is None)


def form(question: Question, complaint: str = "") -> ElicitRequestFormParams:
    """The form that asks: one field `answer`."""
    message = f"{complaint}\n{question.text}" if complaint else question.text
    schema = {"type": "object", "properties": {ANSWER: _field(question)}, "required": [ANSWER]}
    return ElicitRequestFormParams(message=message, requested_schema=schema)


def required(questions: Iterable[Question], state: Parked, complaints: Mapping[str, str]) -> InputRequiredResult:
    """The result that asks: a form for each question, and the state that finds the run again."""
    forms = {each.name: ElicitRequest(params=form(each, complaints.get(each.name, ""))) for each in questions}
    return InputRequiredResult(input_requests=dict(forms), request_state=state.text())


def responses(ctx: Context) -> Mapping[str, ElicitResult]:
    """What the client brought back, by question; what is no answer to a form is left out."""
    brought = (ctx.params or {}).get("inputResponses")
    found: dict[str, ElicitResult] = {}
    for name, response in brought.items() if isinstance(brought, Mapping) else ():
        with suppress(ValidationError):
            found[name] = ElicitResult.model_validate(response)
    return found


def answer_of(question: Question, result: ElicitResult) -> Any:
    """The answer in an accepted form, as a value of the question's type. Raises InputError when it does not fit."""
    given = (result.content or {}).get(ANSWER)
    if given is None:
        raise InputError(f"the form for {question.name} has no field `{ANSWER}`")
    for choice in question.choices:
        if given == _label(choice):
            return coerced_answer(question, choice, from_text=False)
    return coerced_answer(question, given, from_text=isinstance(given, str))


async def elicited(ctx: Context, question: Question) -> tuple[bool, Any]:
    """Whether the client's user answered within the call, and what; asked again, a few times, if it does not fit."""
    complaint = ""
    for _ in range(TIMES):
        asked = form(question, complaint)
        try:
            result = await ctx.session.elicit_form(asked.message, asked.requested_schema, ctx.request_id)
        except (MCPError, ValidationError):
            return False, None  # it cannot ask after all; the answer to the call says how to answer otherwise
        if result.action != "accept":
            return False, None
        try:
            return True, answer_of(question, result)
        except InputError as error:
            complaint = str(error.message)
    return False, None


def _field(question: Question) -> dict[str, Any]:
    """The field's schema, of the few kinds that forms have; an object or a list is given as JSON in a text."""
    told: dict[str, Any] = {"title": question.step or question.name}
    if question.choices:
        told |= {"type": "string", "enum": [_label(choice) for choice in question.choices]}
        default = None if question.default is None else _label(question.default)
    elif question.type in _PLAIN:
        told |= {"type": question.type.value}
        default = question.default
    else:
        told |= {"type": "string", "description": f"JSON: an {question.type}"}
        default = None if question.default is None else json.dumps(question.default, ensure_ascii=False)
    return told if default is None or question.secret else {**told, "default": default}


def _label(choice: Any) -> str:
    return choice if isinstance(choice, str) else json.dumps(choice, ensure_ascii=False)
