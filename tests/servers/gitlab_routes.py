"""What the stand-in for GitLab answers, path by path (its API documentation, "REST API resources")."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from urllib.parse import unquote

from tests.servers.gitlab import ADA, Asked, GitLab, RefusalError, Said
from tests.servers.gitlab_project import Project, job_told, labels_of, now, pipeline_told, told

Answer = Callable[..., Said]
ROUTES: list[tuple[str, re.Pattern[str], Answer]] = []
MISSING = {"message": "404 Not found"}


def route(methods: str, path: str) -> Callable[[Answer], Answer]:
    """Whoever asks for this below a project is answered by the decorated function, with what the path names."""

    def keep(function: Answer) -> Answer:
        ROUTES.extend((method, re.compile(path), function) for method in methods.split())
        return function

    return keep


def answer(server: GitLab, asked: Asked, shown: str) -> Said:
    """The answer to an admitted request."""
    if asked.path == "/version":
        return Said(body={"version": "17.5.0-stand-in", "revision": "0"})
    if asked.path in ("/user", "/personal_access_tokens/self"):
        return _self(server, asked, shown)
    if asked.path == "/projects":
        visible = [one for one in server.projects.values() if asked.user or one.public]
        return Said(body=[_project(one) for one in visible])
    named = re.fullmatch(r"/projects/([^/]+)(.*)", asked.path)
    if named is None:
        raise RefusalError(404, {"error": "404 Not Found"})
    project = server.found(unquote(named[1]))
    if asked.user is None and not project.public:
        raise RefusalError(404, {"message": "404 Project Not Found"})
    if asked.user is None and asked.method != "GET":
        raise RefusalError(401, {"message": "401 Unauthorized"})
    return _below(project, asked, named[2])


def _below(project: Project, asked: Asked, rest: str) -> Said:
    if not rest:
        return Said(body=_project(project))
    paths = [(method, found, function) for method, path, function in ROUTES if (found := path.fullmatch(rest))]
    for method, found, function in paths:
        if method == asked.method:
            return function(project, asked, *(unquote(part) for part in found.groups("")))
    raise RefusalError(405 if paths else 404, {"error": "405 Not Allowed" if paths else "404 Not Found"})


def _self(server: GitLab, asked: Asked, shown: str) -> Said:
    if asked.user is None:
        raise RefusalError(401, {"message": "401 Unauthorized"})
    if asked.path == "/user":
        return Said(body=ADA | {"web_url": f"{server.url}/ada"})
    token = server.tokens[shown]
    ends = datetime.fromtimestamp(token.expires, UTC).strftime("%Y-%m-%d") if token.expires else None
    return Said(body={"id": 9, "name": "skills", "active": True, "scopes": list(token.scopes), "expires_at": ends})


def _project(project: Project) -> dict[str, Any]:
    return {
        "id": project.id,
        "name": project.path.rpartition("/")[2],
        "path_with_namespace": project.path,
        "default_branch": "main",
        "visibility": "public" if project.public else "private",
        "web_url": project.web,
    }


@route("GET", "/merge_requests")
def _list(project: Project, asked: Asked) -> Said:
    wanted = {name: asked.values[name] for name in ("source_branch", "target_branch") if name in asked.values}
    if (state := asked.values.get("state", "all")) != "all":
        wanted["state"] = state
    rows = [one for one in project.merge_requests.values() if wanted.items() <= one.items()]
    if author := asked.values.get("author_username"):
        rows = [one for one in rows if one["author"]["username"] == author]
    if labels := asked.values.get("labels"):
        rows = [one for one in rows if {*labels.split(",")} <= {*one["labels"]}]
    return Said(body=[told(project, one) for one in reversed(rows)])


@route("POST", "/merge_requests")
def _create(project: Project, asked: Asked) -> Said:
    source, target, title = asked.need("source_branch", "target_branch", "title")
    for one in project.merge_requests.values():
        if (one["state"], one["source_branch"], one["target_branch"]) == ("opened", source, target):
            said = f"Another open merge request already exists for this source branch: !{one['iid']}"
            raise RefusalError(409, {"message": [said]})
    missing = [name for name, ref in (("Source", source), ("Target", target)) if not project.sha(ref)]
    if missing:
        raise RefusalError(422, {"message": [f"{name} branch does not exist" for name in missing]})
    more = {name: asked.values.get(name) for name in ("description", "labels")}
    return Said(status=201, body=told(project, project.request(source, target, title, dict(ADA), **more)))


@route("GET", r"/merge_requests/(\d+)")
def _view(project: Project, asked: Asked, iid: str) -> Said:
    del asked
    return Said(body=told(project, project.merge_requests[int(iid)]))


@route("PUT", r"/merge_requests/(\d+)")
def _update(project: Project, asked: Asked, iid: str) -> Said:
    request = project.merge_requests[int(iid)]
    settable = ("title", "description", "target_branch", "labels", "state_event")
    given = {name: asked.values[name] for name in settable if name in asked.values}
    if not given:
        raise RefusalError(
            400, {"error": f"{', '.join(settable)} are missing, at least one parameter must be provided"}
        )
    match given.pop("state_event", None):
        case "close" if request["state"] == "opened":
            told(project, request)
            request |= {"state": "closed", "closed_at": now()}
        case "reopen" if request["state"] == "closed":
            request |= {"state": "opened", "closed_at": None}
    if "labels" in given:
        given["labels"] = labels_of(given["labels"])
    project.merge_requests[int(iid)] |= given | {"updated_at": now()}
    request["draft"] = request["title"].startswith("Draft:")
    return Said(body=told(project, request))


@route("PUT", r"/merge_requests/(\d+)/merge")
def _merge(project: Project, asked: Asked, iid: str) -> Said:
    request = project.merge_requests[int(iid)]
    head = told(project, request)["sha"]
    if request["state"] != "opened" or request["draft"] or len(request["approved_by"]) < project.approvals_required:
        raise RefusalError(405, {"message": "405 Method Not Allowed"})
    if asked.values.get("sha") not in (None, head):
        raise RefusalError(409, {"message": f"SHA does not match HEAD of source branch: {head}"})
    made = project.merge(head, request["target_branch"], f"Merge branch '{request['source_branch']}'")
    if not made:
        raise RefusalError(422, {"message": "Branch cannot be merged"})
    request |= {"state": "merged", "merged_at": now(), "merge_commit_sha": made, "sha": head}
    if str(asked.values.get("should_remove_source_branch")).lower() == "true":
        project.git("update-ref", "-d", f"refs/heads/{request['source_branch']}")
    return Said(body=told(project, request))


@route("GET POST", r"/merge_requests/(\d+)/notes")
def _notes(project: Project, asked: Asked, iid: str) -> Said:
    request = project.merge_requests[int(iid)]
    if asked.method == "GET":
        return Said(body=request["notes"][:: -1 if asked.values.get("sort", "desc") == "desc" else 1])
    (body,) = asked.need("body")
    note = {"id": int(iid) * 1000 + len(request["notes"]), "body": body, "author": ADA, "system": False}
    request["notes"].append(note | {"created_at": now(), "noteable_iid": int(iid)})
    return Said(status=201, body=request["notes"][-1])


@route("GET", r"/merge_requests/(\d+)/approvals")
def _approvals(project: Project, asked: Asked, iid: str) -> Said:
    del asked
    request = project.merge_requests[int(iid)]
    by = request["approved_by"]
    left = max(project.approvals_required - len(by), 0)
    shown = {name: request[name] for name in ("id", "iid", "project_id", "title", "description", "state")}
    body = shown | {"approved": not left, "approvals_required": project.approvals_required, "approvals_left": left}
    return Said(body=body | {"approved_by": [{"user": user} for user in by]})


@route("POST", r"/merge_requests/(\d+)/(approve|unapprove)")
def _approve(project: Project, asked: Asked, iid: str, how: str) -> Said:
    request = project.merge_requests[int(iid)]
    if how == "approve" and request["approved_by"]:
        raise RefusalError(401, {"message": "401 Unauthorized"})
    request["approved_by"] = [ADA] if how == "approve" else []
    return Said(status=201, body=_approvals(project, asked, iid).body)


@route("GET", r"/merge_requests/(\d+)/diffs")
def _diffs(project: Project, asked: Asked, iid: str) -> Said:
    del asked
    request = told(project, project.merge_requests[int(iid)])
    base = project.git("merge-base", request["target_branch"], request["sha"]).decode().strip()
    names = project.git("diff", "--name-only", "-z", base, request["sha"]).decode().split("\0")[:-1]
    diffs = [(name, project.git("diff", base, request["sha"], "--", name).decode()) for name in names]
    return Said(
        body=[{"old_path": n, "new_path": n, "diff": d.partition("@@")[1] + d.partition("@@")[2]} for n, d in diffs]
    )


@route("GET", r"/merge_requests/(\d+)/pipelines")
def _request_pipelines(project: Project, asked: Asked, iid: str) -> Said:
    del asked
    number = project.merge_requests[int(iid)]["iid"]
    rows = [one for one in project.pipelines.values() if one["merge_request"] == number]
    return Said(body=[pipeline_told(project, one) for one in reversed(rows)])


@route("GET", "/pipelines")
def _pipelines(project: Project, asked: Asked) -> Said:
    rows = [pipeline_told(project, one) for one in reversed(project.pipelines.values())]
    wanted = {name: asked.values[name] for name in ("ref", "sha", "status", "source") if name in asked.values}
    return Said(body=[one for one in rows if wanted.items() <= one.items()])


@route("GET", r"/pipelines/(\d+)")
def _pipeline(project: Project, asked: Asked, number: str) -> Said:
    del asked
    return Said(body=pipeline_told(project, project.pipelines[int(number)]))


@route("GET", r"/pipelines/(\d+)/jobs")
def _jobs(project: Project, asked: Asked, number: str) -> Said:
    rows = [one for one in project.jobs.values() if one["pipeline_id"] == project.pipelines[int(number)]["id"]]
    newest = {one["name"]: one["id"] for one in rows}
    if str(asked.values.get("include_retried")).lower() != "true":
        rows = [one for one in rows if newest[one["name"]] == one["id"]]
    return Said(body=[job_told(project, one) for one in reversed(rows)])


@route("POST", r"/pipelines/(\d+)/(cancel|retry)")
def _act_on_pipeline(project: Project, asked: Asked, number: str, what: str) -> Said:
    pipeline = project.pipelines[int(number)]
    for row in _jobs(project, asked, number).body:
        job = project.jobs[row["id"]]
        if what == "cancel":
            project.cancel(job)
        elif job["status"] in ("failed", "canceled"):
            project.job(max(project.jobs) + 1, int(number), job["name"], "pending")
    return Said(status=200 if what == "cancel" else 201, body=pipeline_told(project, pipeline))


@route("GET", r"/jobs/(\d+)")
def _job(project: Project, asked: Asked, number: str) -> Said:
    del asked
    return Said(body=job_told(project, project.jobs[int(number)]))


@route("GET", r"/jobs/(\d+)/trace")
def _trace(project: Project, asked: Asked, number: str) -> Said:
    del asked
    return Said(body=project.jobs[int(number)]["trace"], headers={"Content-Type": "text/plain"})


@route("POST", r"/jobs/(\d+)/(cancel|retry|play)")
def _act_on_job(project: Project, asked: Asked, number: str, what: str) -> Said:
    del asked
    job = project.jobs[int(number)]
    if what == "cancel":
        project.cancel(job)
    elif what == "play":
        if job["status"] != "manual":
            raise RefusalError(400, {"message": "400 Bad request - Unplayable Job"})
        job["status"] = "pending"
    elif job["status"] not in ("failed", "canceled", "success"):
        raise RefusalError(403, {"message": "403 Forbidden - Job is not retryable"})
    else:
        job = project.job(max(project.jobs) + 1, job["pipeline_id"], job["name"], "pending")
    return Said(status=201 if what == "retry" else 200, body=job_told(project, job))


@route("GET", r"/repository/files/([^/]+)(/raw)?")
def _file(project: Project, asked: Asked, path: str, raw: str = "") -> Said:
    ref = asked.values.get("ref") or ("HEAD" if raw else asked.need("ref")[0])
    sha = project.sha(ref) if ref != "HEAD" else project.sha("main")
    if not sha:
        raise RefusalError(404, {"message": "404 Commit Not Found"})
    blobs = project.git("ls-tree", "-z", sha, "--", path).decode()
    if not blobs:
        raise RefusalError(404, {"message": "404 File Not Found"})
    content = project.git("cat-file", "blob", blobs.split()[2])
    if raw:
        return Said(body=content, headers={"Content-Type": "text/plain"})
    shown = {"file_name": path.rpartition("/")[2], "file_path": path, "size": len(content), "encoding": "base64"}
    shown |= {"content": base64.b64encode(content).decode(), "content_sha256": sha256(content).hexdigest()}
    last = project.git("log", "-1", "--format=%H", sha, "--", path).decode().strip()
    return Said(body=shown | {"ref": ref, "blob_id": blobs.split()[2], "commit_id": sha, "last_commit_id": last})


@route("GET", "/repository/(branches|tags)")
def _refs(project: Project, asked: Asked, sort: str) -> Said:
    folder = {"branches": "refs/heads", "tags": "refs/tags"}[sort]
    names = project.git("for-each-ref", "--format=%(refname:lstrip=2)", folder).decode().split()
    search = asked.values.get("search", "")
    return Said(body=[_ref(project, name) for name in names if search in name])


@route("GET", "/repository/(branches|tags)/([^/]+)")
def _one_ref(project: Project, asked: Asked, sort: str, name: str) -> Said:
    rows = [one for one in _refs(project, asked, sort).body if one["name"] == name]
    if not rows:
        raise RefusalError(404, {"message": f"404 {'Branch' if sort == 'branches' else 'Tag'} Not Found"})
    return Said(body=rows[0])


@route("POST", "/repository/(branches|tags)")
def _new_ref(project: Project, asked: Asked, sort: str) -> Said:
    branch = sort == "branches"
    name, ref = asked.need("branch" if branch else "tag_name", "ref")
    prefix = "refs/heads" if branch else "refs/tags"
    if name in project.git("for-each-ref", "--format=%(refname:lstrip=2)", prefix).decode().split():
        raise RefusalError(400, {"message": "Branch already exists" if branch else f"Tag {name} already exists"})
    if not project.sha(ref):
        raise RefusalError(400, {"message": f"Invalid reference name: {ref}" if branch else f"Target {ref} is invalid"})
    project.git("update-ref", f"{prefix}/{name}", project.sha(ref))
    return Said(status=201, body=_ref(project, name))


@route("DELETE", "/repository/(branches|tags)/([^/]+)")
def _lose_ref(project: Project, asked: Asked, sort: str, name: str) -> Said:
    _one_ref(project, asked, sort, name)
    project.git("update-ref", "-d", f"refs/{'heads' if sort == 'branches' else 'tags'}/{name}")
    return Said(status=204)


@route("GET", "/repository/commits")
def _commits(project: Project, asked: Asked) -> Said:
    ref = project.sha(asked.values.get("ref_name", "main"))
    paths = ("--", asked.values["path"]) if asked.values.get("path") else ()
    return Said(body=[_commit(project, sha) for sha in project.git("log", "--format=%H", ref, *paths).decode().split()])


@route("GET", "/repository/commits/([^/]+)")
def _one_commit(project: Project, asked: Asked, name: str) -> Said:
    del asked
    sha = project.sha(name)
    if not sha:
        raise RefusalError(404, {"message": "404 Commit Not Found"})
    lines = project.git("show", "--numstat", "--format=", sha).decode().split("\n")
    counts = [[int(n) if n.isdigit() else 0 for n in line.split("\t")[:2]] for line in lines if line]
    added, deleted = sum(a for a, _ in counts), sum(d for _, d in counts)
    stats = {"additions": added, "deletions": deleted, "total": added + deleted}
    return Said(body=_commit(project, sha) | {"stats": stats})


def _ref(project: Project, name: str) -> dict[str, Any]:
    shown = {"name": name, "commit": _commit(project, project.sha(name)), "protected": name == "main"}
    return shown | {"default": name == "main", "merged": False, "web_url": f"{project.web}/-/tree/{name}"}


def _commit(project: Project, sha: str) -> dict[str, Any]:
    said = project.git("show", "--no-patch", "--format=%H%n%h%n%P%n%an%n%ae%n%aI%n%B", sha).decode().split("\n", 6)
    names = ("id", "short_id", "parent_ids", "author_name", "author_email", "authored_date", "message")
    shown: dict[str, Any] = dict(zip(names, said, strict=True))
    shown["parent_ids"] = shown["parent_ids"].split()
    shown |= {"title": shown["message"].split("\n")[0], "created_at": shown["authored_date"]}
    return shown | {"committed_date": shown["authored_date"], "web_url": f"{project.web}/-/commit/{sha}"}
