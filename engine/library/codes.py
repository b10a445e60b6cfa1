"""The kinds of mistakes `skill check` finds, as stable codes; `docs/check.md` shows each with an example."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class FindingCode(StrEnum):
    """The closed list of everything `skill check` can say; the first groups are documents', the last the sandbox's."""

    CHARACTER = "character"
    ENCODING = "encoding"
    UNREADABLE = "unreadable"
    SYNTAX = "syntax"
    SEVERAL_DOCUMENTS = "several-documents"
    TOO_LARGE = "too-large"
    TOO_DEEP = "too-deep"
    TOO_MANY_NODES = "too-many-nodes"
    ALIAS = "alias"
    TAG = "tag"
    MERGE_KEY = "merge-key"
    KEY_TYPE = "key-type"
    BRACES = "braces"
    NUMBER = "number"
    DUPLICATE_KEY = "duplicate-key"

    UNKNOWN_KEY = "unknown-key"
    MISSING_KEY = "missing-key"
    KEY_NAME = "key-name"
    WRONG_TYPE = "wrong-type"
    WRONG_FORM = "wrong-form"
    NOT_ALLOWED = "not-allowed"
    NO_CHOICE = "no-choice"
    OUT_OF_RANGE = "out-of-range"
    GIVEN_TWICE = "given-twice"
    SCHEMA = "schema"

    NAME_MISMATCH = "name-mismatch"
    NO_ACTION = "no-action"
    SEVERAL_ACTIONS = "several-actions"
    MISPLACED_KEY = "misplaced-key"
    STEP_IN_OUTPUTS = "step-in-outputs"
    BAD_PATTERN = "bad-pattern"
    BAD_DEFAULT = "bad-default"
    BAD_CHOICE = "bad-choice"
    DUPLICATE_NAME = "duplicate-name"
    DUPLICATE_OUTPUT = "duplicate-output"
    RESERVED_NAME = "reserved-name"
    SHADOWED_NAME = "shadowed-name"
    UNKNOWN_NAME = "unknown-name"
    USED_TOO_EARLY = "used-too-early"
    OUT_OF_SCOPE = "out-of-scope"
    UNKNOWN_TOOL = "unknown-tool"
    UNKNOWN_ARGUMENT = "unknown-argument"
    MISSING_ARGUMENT = "missing-argument"
    WRONG_ARGUMENT = "wrong-argument"
    UNKNOWN_SKILL = "unknown-skill"
    SKILL_CYCLE = "skill-cycle"
    BROKEN_SKILL = "broken-skill"
    UNKNOWN_DOMAIN = "unknown-domain"
    UNKNOWN_FIX = "unknown-fix"
    UNREACHABLE = "unreachable"
    STOP_IN_ALWAYS = "stop-in-always"
    ASK_IN_ALWAYS = "ask-in-always"
    SECRET_LEAK = "secret-leak"  # noqa: S105 - the name of a mistake, not a password

    EXPRESSION_SYNTAX = "expression-syntax"
    EXPRESSION_NOT_ALLOWED = "expression-not-allowed"
    TEMPLATE_SYNTAX = "template-syntax"
    TEMPLATE_NOT_ALLOWED = "template-not-allowed"
    COMPUTE_SYNTAX = "compute-syntax"
    COMPUTE_NOT_ALLOWED = "compute-not-allowed"
    COMPUTE_NO_RESULT = "compute-no-result"


MEANING: Mapping[FindingCode, str] = {
    FindingCode.CHARACTER: "The file holds a character that YAML does not allow.",
    FindingCode.ENCODING: "The file is not UTF-8.",
    FindingCode.UNREADABLE: "The file cannot be read.",
    FindingCode.SYNTAX: "The file is not YAML.",
    FindingCode.SEVERAL_DOCUMENTS: "The file holds more than one YAML document.",
    FindingCode.TOO_LARGE: "The file is larger than any skill should be.",
    FindingCode.TOO_DEEP: "Values are nested deeper than any skill needs.",
    FindingCode.TOO_MANY_NODES: "The file holds more values, aliases written out, than any skill needs.",
    FindingCode.ALIAS: "An alias stands for nothing, or for a value that it is part of.",
    FindingCode.TAG: "A YAML tag is used; skills have none.",
    FindingCode.MERGE_KEY: "A YAML merge key is used; skills have none.",
    FindingCode.KEY_TYPE: "A key is something else than text.",
    FindingCode.BRACES: "A value that begins with `{{` has no quotes, so YAML takes it for a mapping.",
    FindingCode.NUMBER: "A number is too long to be kept exactly.",
    FindingCode.DUPLICATE_KEY: "A key is given twice in one mapping.",
    FindingCode.UNKNOWN_KEY: "A key is not part of the skill language at this place.",
    FindingCode.MISSING_KEY: "A key that must be given is missing.",
    FindingCode.KEY_NAME: "A key does not have the form that keys have here.",
    FindingCode.WRONG_TYPE: "A value is of another type than the key wants.",
    FindingCode.WRONG_FORM: "A text does not have the form that the key wants.",
    FindingCode.NOT_ALLOWED: "A value is none of those that the key allows.",
    FindingCode.NO_CHOICE: "A value fits none of the alternatives.",
    FindingCode.OUT_OF_RANGE: "A number, a text or a list is too small or too large.",
    FindingCode.GIVEN_TWICE: "A list names the same thing twice.",
    FindingCode.SCHEMA: "A value breaks a rule of the skill language.",
    FindingCode.NAME_MISMATCH: "The skill's name is not the name of its file.",
    FindingCode.NO_ACTION: "A step says nothing that could be done.",
    FindingCode.SEVERAL_ACTIONS: "A step asks for more than one action.",
    FindingCode.MISPLACED_KEY: "A key stands in a step that has no use for it.",
    FindingCode.STEP_IN_OUTPUTS: "A step stands in the list of outputs, where it would never run.",
    FindingCode.BAD_PATTERN: "An input's pattern is no regular expression.",
    FindingCode.BAD_DEFAULT: "The default of an input or of a question would be refused as its value.",
    FindingCode.BAD_CHOICE: "One of the answers that a question allows is not of the type of its answer.",
    FindingCode.DUPLICATE_NAME: "Two steps, inputs or outputs of the skill have the same name.",
    FindingCode.DUPLICATE_OUTPUT: "Two values of the skill are bound to the same name.",
    FindingCode.RESERVED_NAME: "A step's value takes a name that expressions already use for something else.",
    FindingCode.SHADOWED_NAME: "A value takes the name of an input, a step or another value, which misleads a reader.",
    FindingCode.UNKNOWN_NAME: "An expression uses a name that nothing defines.",
    FindingCode.USED_TOO_EARLY: "An expression uses a name before the step that defines it.",
    FindingCode.OUT_OF_SCOPE: "An expression uses a name that exists only in another group, branch or loop.",
    FindingCode.UNKNOWN_TOOL: "A step calls a tool that is not registered.",
    FindingCode.UNKNOWN_ARGUMENT: "A call gives an argument that the tool or skill does not take.",
    FindingCode.MISSING_ARGUMENT: "A call leaves out an argument that the tool or skill needs.",
    FindingCode.WRONG_ARGUMENT: "A constant argument is not what the tool or skill takes.",
    FindingCode.UNKNOWN_SKILL: "A step runs a skill that does not exist.",
    FindingCode.SKILL_CYCLE: "A skill runs itself, directly or through others.",
    FindingCode.BROKEN_SKILL: "A step runs a skill that cannot be run.",
    FindingCode.UNKNOWN_DOMAIN: "A step's `heal` names a domain that no profile in use describes.",
    FindingCode.UNKNOWN_FIX: "A step's `heal` allows a fix that there is not.",
    FindingCode.UNREACHABLE: "A step can never run.",
    FindingCode.STOP_IN_ALWAYS: "A `stop` stands in `always`, where the run has ended already.",
    FindingCode.ASK_IN_ALWAYS: "A question stands in `always`, where nobody is waited for.",
    FindingCode.SECRET_LEAK: "A secret would leave the run through an output, a question, a message or another skill.",
    FindingCode.EXPRESSION_SYNTAX: "An expression cannot be read.",
    FindingCode.EXPRESSION_NOT_ALLOWED: "An expression uses what expressions may not use.",
    FindingCode.TEMPLATE_SYNTAX: "A text with `{{ }}` or `{% %}` cannot be read.",
    FindingCode.TEMPLATE_NOT_ALLOWED: "A text with `{{ }}` or `{% %}` uses what templates may not use.",
    FindingCode.COMPUTE_SYNTAX: "A compute block cannot be read.",
    FindingCode.COMPUTE_NOT_ALLOWED: "A compute block uses what the compute language does not have.",
    FindingCode.COMPUTE_NO_RESULT: "A compute block never assigns `result`.",
}
"""One sentence for each code."""


def meaning(code: str) -> str:
    """The sentence of a code; a plain one for a code that another version of the engine knows."""
    return MEANING[FindingCode(code)] if code in _KNOWN else "A mistake in the file."


_KNOWN = frozenset(FindingCode)
