"""What the stand-in for GitLab keeps of a project: a real bare repository, merge requests, pipelines and jobs."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

BEGAN = "2026-11-20T08:00:00.000Z"
RUNNING = ("created", "waiting_for_resource", "preparing", "pending", "running")
AUTHOR = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in
          (("NAME", "Ada Moor"), ("EMAIL", "ada@example.org"))}  # fmt: skip


END = "\n"
WHO = f"{AUTHOR['GIT_AUTHOR_NAME']} <{AUTHOR['GIT_AUTHOR_EMAIL']}>"


@dataclass(kw_only=True)
class Project:
    """A project; identifiers of pipelines and jobs count through all projects of a server, as at GitLab."""

    id: int
    path: str
    repository: Path
    web: str
    public: bool = False
    approvals_required: int = 0
    merge_requests: dict[int, dict[str, Any]] = field(default_factory=dict)
    pipelines: dict[int, dict[str, Any]] = field(default_factory=dict)
    jobs: dict[int, dict[str, Any]] = field(default_factory=dict)

    def git(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """What git says in the repository; CalledProcessError where it refuses."""
        argv = ["git", "-C", str(self.repository), *arguments]
        known = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        return subprocess.run(argv, input=stdin, env={**known, **AUTHOR}, capture_output=True, check=True).stdout

    def sha(self, ref: str) -> str:
        """The commit that a branch, tag or SHA names; empty for none."""
        if END in ref:
            return ""
        meant = "".join(f"{name}^{{commit}}{END}" for name in (f"refs/heads/{ref}", f"refs/tags/{ref}", ref))
        told = self.git("cat-file", "--batch-check", stdin=meant.encode()).decode().splitlines()
        return next((line.split()[0] for line in told if " commit " in line), "")

    def commit(self, branch: str, message: str, files: dict[str, str], *, base: str = "") -> str:
        """A commit of these files on a branch, which begins at `base` where it is new; its SHA."""
        parent = self.sha(branch) or (self.sha(base) if base else "")
        written = [f"M 100644 inline {name}\n{_counted(text)}" for name, text in files.items()]
        head = f"commit refs/heads/{branch}\ncommitter {WHO} now\n{_counted(message + END)}"
        told = "".join([head, f"from {parent}\n" if parent else "", *written])
        self.git("fast-import", "--quiet", "--date-format=now", stdin=told.encode())
        return self.sha(branch)

    def merge(self, source: str, target: str, message: str) -> str:
        """Merges a commit into a branch, and gives the merge commit; empty where it conflicts."""
        try:
            tree = self.git("merge-tree", "--write-tree", self.sha(target), source).decode().split()[0]
        except subprocess.CalledProcessError:
            return ""
        made = self.git("commit-tree", tree, "-p", self.sha(target), "-p", source, "-m", message).decode().strip()
        self.git("update-ref", f"refs/heads/{target}", made)
        return made

    def request(self, source: str, target: str, title: str, user: dict[str, Any], **more: Any) -> dict[str, Any]:
        """A new merge request."""
        iid = len(self.merge_requests) + 1
        made = {
            "id": self.id * 1000 + iid,
            "iid": iid,
            "project_id": self.id,
            "title": title,
            "description": more.get("description") or "",
            "state": "opened",
            "source_branch": source,
            "target_branch": target,
            "author": user,
            "labels": labels_of(more.get("labels")),
            "draft": title.startswith("Draft:"),
            "created_at": BEGAN,
            "updated_at": now(),
            "merged_at": None,
            "closed_at": None,
            "merge_commit_sha": None,
            "merge_when_pipeline_succeeds": False,
            "web_url": f"{self.web}/-/merge_requests/{iid}",
            "sha": self.sha(source),
            "notes": [],
            "approved_by": [],
        }
        self.git("update-ref", f"refs/merge-requests/{iid}/head", self.sha(source))
        self.merge_requests[iid] = made
        return made

    def pipeline(self, number: int, ref: str, jobs: dict[str, str], *, merge_request: int = 0) -> dict[str, Any]:
        """A pipeline of jobs (status by name; the first of each name up to a colon is its stage)."""
        made = {
            "id": number,
            "iid": len(self.pipelines) + 1,
            "project_id": self.id,
            "sha": self.sha(ref),
            "ref": f"refs/merge-requests/{merge_request}/head" if merge_request else ref,
            "source": "merge_request_event" if merge_request else "push",
            "created_at": BEGAN,
            "updated_at": now(),
            "web_url": f"{self.web}/-/pipelines/{number}",
            "merge_request": merge_request,
        }
        self.pipelines[number] = made
        for place, (name, status) in enumerate(jobs.items()):
            self.job(number * 100 + place, number, name, status)
        return made

    def job(self, number: int, pipeline: int, name: str, status: str) -> dict[str, Any]:
        """A job of a pipeline."""
        self.jobs[number] = {
            "id": number,
            "name": name,
            "stage": name.partition(":")[0],
            "status": status,
            "ref": self.pipelines[pipeline]["ref"],
            "allow_failure": False,
            "created_at": BEGAN,
            "started_at": None if status in RUNNING[:4] else BEGAN,
            "finished_at": None if status in RUNNING else now(),
            "failure_reason": "script_failure" if status == "failed" else None,
            "duration": None if status in RUNNING else 12.5,
            "web_url": f"{self.web}/-/jobs/{number}",
            "pipeline_id": pipeline,
            "trace": f"$ make {name}\n{status}\n",
        }
        return self.jobs[number]

    def status(self, pipeline: int) -> str:
        """How a pipeline stands, by its jobs: of several of a name the last counts."""
        newest = {job["name"]: job["status"] for job in self.jobs.values() if job["pipeline_id"] == pipeline}
        order = ("running", "pending", "created", "failed", "canceled", "manual")
        return next((status for status in order if status in newest.values()), "success")

    def cancel(self, job: dict[str, Any]) -> bool:
        """Ends a job that has not ended; whether it did."""
        if job["status"] not in RUNNING:
            return False
        job.update(status="canceled", finished_at=now())
        return True


def now() -> str:
    """The time as GitLab writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def labels_of(told: Any) -> list[str]:
    """Labels given as a list, or joined by commas."""
    named = told if isinstance(told, list) else str(told or "").split(",")
    return [name.strip() for name in named if str(name).strip()]


def told(project: Project, request: dict[str, Any]) -> dict[str, Any]:
    """A merge request as the API shows it."""
    head = project.sha(request["source_branch"]) if request["state"] == "opened" else request["sha"]
    request["sha"] = head or request["sha"]
    shown = {name: value for name, value in request.items() if name not in {"notes", "approved_by"}}
    newest = [one for one in project.pipelines.values() if one["merge_request"] == request["iid"]][-1:]
    return shown | {
        "head_pipeline": pipeline_told(project, newest[0]) if newest else None,
        "detailed_merge_status": "draft_status" if shown["draft"] else "mergeable",
        "has_conflicts": False,
        "user_notes_count": len(request["notes"]),
        "reviewers": [],
        "assignees": [],
    }


def pipeline_told(project: Project, pipeline: dict[str, Any]) -> dict[str, Any]:
    """A pipeline as the API shows it."""
    shown = {name: value for name, value in pipeline.items() if name != "merge_request"}
    return shown | {"status": project.status(pipeline["id"])}


def job_told(project: Project, job: dict[str, Any]) -> dict[str, Any]:
    """A job as the API shows it."""
    shown = {name: value for name, value in job.items() if name not in {"trace", "pipeline_id"}}
    return shown | {"pipeline": pipeline_told(project, project.pipelines[job["pipeline_id"]])}


def _counted(text: str) -> str:
    """A text as `git fast-import` takes it: after the number of its bytes."""
    return f"data {len(text.encode())}\n{text}\n"
