"""How long the credentials of a kubeconfig hold: tokens, client certificates, exec plug-ins."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypedDict

from tool_registry.functions.moments import certificate_end, jwt_end, moment
from tool_registry.sources.plain_file import named_path, plain_text
from tool_registry.sources.process import Completed, run_program
from tool_registry.sources.python import tool
from tool_registry.tool import Effect, ToolContext, ToolError

LARGEST = 5_000_000
SECTIONS = {"clusters": "cluster", "users": "user", "contexts": "context"}
"""The lists of a kubeconfig, and what an entry of each holds beside its name."""
FILES = frozenset({"certificate-authority", "client-certificate", "client-key", "tokenFile"})
NEVER_ALONE = "Always"
"""The `interactiveMode` of a plug-in that needs a terminal."""


class Credentials(TypedDict):
    """Whose the credentials are, of what sort, and how long they hold; null where they do not tell.

    `ok` false: there are none. True with an end in the past: they are there, and over.
    """

    ok: bool
    context: str
    user: str
    source: str
    expires_at: float | None
    expires_in: float | None
    message: str


@tool(
    effect=Effect.READ,
    idempotent=True,
    timeout=15,
    examples=({}, {"kubeconfig": "~/.kube/config", "context_name": "ephemeral"}),
    exact=True,
)
async def kubeconfig_expiry(context: ToolContext, kubeconfig: str = "", context_name: str = "") -> Credentials:
    """Says how long the credentials of a kubeconfig's context hold; no cluster is asked, an exec plug-in is run.

    A token ends by its own `exp`, a client certificate by its `notAfter`, what a plug-in gives by its
    `expirationTimestamp`. Of a token that says nothing of its end, nothing is known but that it is there.

    Args:
        kubeconfig: The file; left out, the domain's setting `kubeconfig`, else KUBECONFIG, else ~/.kube/config.
        context_name: The context in it; left out, its current one.
    """
    config, path = load_kubeconfig(kubeconfig, context)
    name = context_name or str(config.get("current-context") or "")
    chosen = named_entry(config, "contexts", name)
    lacking = _lacking(config, path, name)
    who = str(mapping(chosen.get("context")).get("user") or "")
    user = mapping(named_entry(config, "users", who).get("user"))
    source, ends, message = await _ends(user, path.parent, context)
    left = None if ends is None else ends - time.time()
    return {
        "ok": not (lacking or message),
        "context": name,
        "user": who,
        "source": source,
        "expires_at": ends,
        "expires_in": left,
        "message": lacking or message,
    }


def _lacking(config: Mapping[str, Any], path: Path, name: str) -> str:
    """That the file or the context is not there; empty where both are, or where nobody has logged in yet."""
    known = context_names(config)
    if not path.exists():
        return f"there is no file {path}"
    if not known or named_entry(config, "contexts", name):
        return ""
    return f"{path} has no context {name or 'that is current'}; it has {', '.join(known)}"


async def _ends(user: Mapping[str, Any], folder: Path, context: ToolContext) -> tuple[str, float | None, str]:
    """The sort of credentials, when they end, and why there are none; kubectl prefers them in this order."""
    if token := user.get("token") or file_text(user.get("tokenFile"), folder):
        context.secret(str(token).strip())
        return "token", jwt_end(str(token).strip()), ""
    if certificate := user_certificate(user, folder):
        return "certificate", certificate_end(certificate), ""
    if plugin := mapping(user.get("exec")):
        return await _plugin(plugin, folder, context)
    provider = mapping(mapping(user.get("auth-provider")).get("config"))
    if token := provider.get("id-token") or provider.get("access-token"):
        context.secret(str(token))
        return "auth-provider", jwt_end(str(token)) or moment(provider.get("expiry")), ""
    if user.get("username"):
        return "password", None, ""
    return "none", None, "it holds no credentials"


async def _plugin(plugin: Mapping[str, Any], folder: Path, context: ToolContext) -> tuple[str, float | None, str]:
    command, done = await run_plugin(plugin, folder, context)
    if done.exit_status:
        return "exec", None, f"{command} ended with status {done.exit_status}: {_last_line(done.stderr)}"
    status = exec_credential(command, done, context)
    certificate = str(status.get("clientCertificateData") or "").encode()
    told = moment(status.get("expirationTimestamp")) or jwt_end(str(status.get("token") or ""))
    return "exec", told or certificate_end(certificate), ""


async def run_plugin(plugin: Mapping[str, Any], folder: Path, context: ToolContext) -> tuple[str, Completed]:
    """Runs a plug-in as kubectl does (client.authentication.k8s.io), without a terminal; its name, and how it ended."""
    command = str(plugin.get("command") or "")
    if plugin.get("interactiveMode") == NEVER_ALONE:
        raise ToolError(f"{command} wants a terminal, so it was not asked", kind="configuration_error", sent=False)
    program = str(folder / command) if "/" in command and not Path(command).is_absolute() else command
    version = str(plugin.get("apiVersion") or "client.authentication.k8s.io/v1")
    asked = {"kind": "ExecCredential", "apiVersion": version, "spec": {"interactive": False}}
    own = {str(each.get("name")): str(each.get("value")) for each in map(mapping, plugin.get("env") or ())}
    done = await run_program(
        [program, *(str(word) for word in plugin.get("args") or ())],
        environment={**context.environment, **own, "KUBERNETES_EXEC_INFO": json.dumps(asked)},
        timeout=context.timeout,
        shared=context.connections,
        prints_secret=True,
    )
    return command, done


def exec_credential(command: str, done: Completed, context: ToolContext) -> Mapping[str, Any]:
    """The status that a plug-in printed; what is secret in it is kept so."""
    try:
        status = mapping(json.loads(done.stdout)["status"])
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise ToolError(f"{command} gave no ExecCredential", kind="api_contract_mismatch") from error
    for secret in ("token", "clientKeyData"):
        context.secret(status.get(secret))
    return status


def user_certificate(user: Mapping[str, Any], folder: Path) -> bytes:
    """A user's certificate, in PEM."""
    if inline := user.get("client-certificate-data"):
        try:
            return base64.b64decode(str(inline))
        except ValueError as error:
            raise ToolError("client-certificate-data is not base64", kind="configuration_error", sent=False) from error
    return file_text(user.get("client-certificate"), folder).encode()


def file_text(name: Any, folder: Path) -> str:
    """What a file holds that a kubeconfig names; a relative path is meant from the kubeconfig's own folder."""
    if not name:
        return ""
    try:
        return plain_text(named_path(str(name), folder), LARGEST)
    except OSError:
        return ""


def load_kubeconfig(given: str, context: ToolContext) -> tuple[Mapping[str, Any], Path]:
    """The kubeconfig, and the file to speak of; of several files the first that says a thing counts, as for kubectl.

    A missing file is one without anything in it. Files that an entry names are meant from the folder of its own file.
    """
    paths = _paths(given, context)
    if len(paths) == 1:
        return _read(paths[0], context), paths[0]
    merged: dict[str, Any] = {section: [] for section in SECTIONS}
    for path in paths:
        said = _read(path, context)
        if said.get("current-context"):
            merged.setdefault("current-context", said["current-context"])
        for section, kind in SECTIONS.items():
            entries = said.get(section)
            for entry in map(mapping, entries if isinstance(entries, list) else ()):
                if not named_entry(merged, section, str(entry.get("name"))):
                    merged[section].append({**entry, kind: _placed(mapping(entry.get(kind)), path.parent)})
    return merged, next((path for path in paths if path.exists()), paths[0])


def _paths(given: str, context: ToolContext) -> tuple[Path, ...]:
    """The file that is meant: given, the domain's, or the usual one; KUBECONFIG may name several."""
    if named := given or str(context.settings.get("kubeconfig") or ""):
        return (named_path(named, context.folder, context.environment),)
    names = [name for name in context.environment.get("KUBECONFIG", "").split(":") if name]
    names = names or ["~/.kube/config"]
    return tuple(named_path(name, context.folder, context.environment) for name in names)


def _read(path: Path, context: ToolContext) -> Mapping[str, Any]:
    return mapping(context.read_yaml(path)) if path.exists() else {}


def _placed(said: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """What an entry says, with the files that it names from the folder of its own kubeconfig."""
    found: dict[str, Any] = {
        key: str(named_path(str(value), folder)) for key, value in said.items() if key in FILES and value
    }
    plugin = mapping(said.get("exec"))
    if "/" in (command := str(plugin.get("command") or "")):
        found["exec"] = {**plugin, "command": str(folder / command)}
    return {**said, **found}


def context_names(config: Mapping[str, Any]) -> list[str]:
    """What its contexts are called."""
    entries = config.get("contexts")
    return [str(mapping(each).get("name")) for each in (entries if isinstance(entries, list) else ())]


def named_entry(config: Mapping[str, Any], section: str, name: str) -> Mapping[str, Any]:
    """The entry of that name in a section; an empty one where there is none."""
    entries = config.get(section)
    found = (entry for entry in entries if mapping(entry).get("name") == name) if isinstance(entries, list) else ()
    return mapping(next(iter(found), None))


def mapping(value: Any) -> Mapping[str, Any]:
    """The value if it is a mapping, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["it said nothing"])[-1][:300]
