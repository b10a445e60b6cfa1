"""Drives the stand-in for GitLab with the official client, `python-gitlab`; prints what came of it as JSON.

python gitlab_client.py URL TOKEN
"""

# ruff: noqa: T201, PLR0915 - a program of its own, for an environment of its own
from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import gitlab  # type: ignore[import-not-found]  # only where this program runs


def refused(call: Callable[[], object]) -> list[object]:
    """The status and words of a refusal."""
    try:
        call()
    except gitlab.exceptions.GitlabError as error:
        return [error.response_code, error.error_message]
    return []


def main() -> None:
    """Asks for everything once."""
    client = gitlab.Gitlab(sys.argv[1], private_token=sys.argv[2], retry_transient_errors=False)
    client.auth()
    told: dict[str, Any] = {"user": client.user.username, "version": client.version()[0]}
    project = client.projects.get("group/shop")
    told["projects"] = [one.path_with_namespace for one in client.projects.list(iterator=True, pagination="keyset")]
    told["by number"] = client.projects.get(project.id).path_with_namespace

    made = project.mergerequests.create({"source_branch": "prices", "target_branch": "main", "title": "Prices"})
    told["twice"] = refused(
        lambda: project.mergerequests.create({"source_branch": "prices", "target_branch": "main", "title": "Prices"})
    )
    told["no title"] = refused(lambda: _post(client, project.id))
    made.title, made.labels = "Show prices", ["ready", "shop"]
    made.save()
    note = made.notes.create({"body": "looks good"})
    told["notes"] = [one.body for one in made.notes.list(get_all=True)] + [note.author["username"]]
    told["approved"] = [made.approvals.get().approvals_left]
    made.approve()
    told["approved"].append(made.approvals.get().approvals_left)
    diffs = client.http_list(f"{made.manager.path}/{made.iid}/diffs", get_all=True)
    told["diffs"] = [one["new_path"] for one in diffs]
    told["listed"] = [
        [one.iid, one.title, one.labels] for one in project.mergerequests.list(state="opened", get_all=True)
    ]
    told["stale"] = refused(lambda: made.merge(sha="0" * 40))
    made.merge()
    told["merged"] = project.mergerequests.get(made.iid).state
    told["merge again"] = refused(made.merge)
    other = project.mergerequests.create({"source_branch": "returns", "target_branch": "main", "title": "Returns"})
    other.state_event = "close"
    other.save()
    told["closed"] = project.mergerequests.get(other.iid).state
    told["no request"] = refused(lambda: project.mergerequests.get(99))
    told["no project"] = refused(lambda: client.projects.get("group/none"))

    pages = project.pipelines.list(per_page=2, iterator=True)
    told["pages"] = [pages.total, pages.total_pages, pages.next_page, len(list(pages))]
    pipeline = project.pipelines.get(4711)
    jobs = {one.name: project.jobs.get(one.id) for one in pipeline.jobs.list(get_all=True)}
    told["pipeline"] = [pipeline.status, sorted(jobs)]
    told["trace"] = jobs["test:unit"].trace().decode()
    jobs["deploy"].play()
    told["unplayable"] = refused(jobs["test:unit"].play)
    told["retried"] = jobs["test:unit"].retry()["status"]
    told["not retryable"] = refused(jobs["build"].retry)
    jobs["build"].cancel()
    pipeline.cancel()
    pipeline.refresh()
    told["cancelled"] = pipeline.status
    pipeline.retry()
    pipeline.refresh()
    told["pipeline retried"] = pipeline.status
    told["of request"] = [one.id for one in made.pipelines.list(get_all=True)]

    told["file"] = project.files.get("README.md", ref="main").decode().decode()
    told["raw"] = project.files.raw("docs/a b.md", ref="main").decode()
    told["no file"] = refused(lambda: project.files.get("none", ref="main"))
    branch = project.branches.create({"branch": "topic", "ref": "main"})
    told["branches"] = sorted(one.name for one in project.branches.list(get_all=True))
    told["no branch"] = refused(lambda: project.branches.get("none"))
    branch.delete()
    project.tags.create({"tag_name": "v1", "ref": "main"})
    told["tags"] = [one.name for one in project.tags.list(get_all=True)]
    newest = project.commits.list(ref_name="main", iterator=True).next()
    told["commit"] = [newest.title, project.commits.get("v1").stats["total"] >= 0]
    told["no commit"] = refused(lambda: project.commits.get("none"))
    told["anonymous"] = refused(lambda: gitlab.Gitlab(sys.argv[1]).projects.get("group/shop"))
    print(json.dumps(told))


def _post(client: Any, project: int) -> Any:
    return client.http_post(f"/projects/{project}/merge_requests", post_data={})


if __name__ == "__main__":
    main()
