"""Comments and issues of the repository on GitHub, each kept in one place and written anew."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final

from github import Auth, Github, GithubException
from github.Repository import Repository

from local.errors import LocalError

LABEL: Final = "drift"


def repository(environment: Mapping[str, str] = os.environ) -> Repository:
    """Return the repository that a workflow runs for.

    Raises:
        LocalError: a variable is missing that every run of a workflow has.
    """
    missing = [name for name in ("GITHUB_REPOSITORY", "GITHUB_TOKEN") if not environment.get(name)]
    if missing:
        raise LocalError(f"{' and '.join(missing)} not set: they name the repository, and a token that may write to it")
    token = Auth.Token(environment["GITHUB_TOKEN"])
    api = environment.get("GITHUB_API_URL", "https://api.github.com")
    return Github(base_url=api, auth=token, lazy=True).get_repo(environment["GITHUB_REPOSITORY"])


def comment(repository: Repository, pull_request: int, marker: str, body: str) -> str:
    """Write a comment on a pull request, over the one with the same marker if there is one; return its address.

    Args:
        marker: a line of HTML that is not shown, by which the comment is found again.
        body: Markdown.

    Raises:
        LocalError: GitHub's words.
    """
    text = f"{marker}\n{body}"
    try:
        issue = repository.get_issue(pull_request)
        for each in issue.get_comments():
            if each.body.startswith(marker):
                each.edit(text)
                return each.html_url
        return issue.create_comment(text).html_url
    except GithubException as error:
        raise _refused(error) from error


def report_drift(repository: Repository, title: str, body: str | None) -> str:
    """Keep one open issue of a title while there is drift, and close it when there is none.

    Args:
        title: by which the issue is found again.
        body: Markdown; None where nothing differs.

    Returns:
        The issue's address; empty where there is none and none is needed.

    Raises:
        LocalError: GitHub's words.
    """
    try:
        found = next(
            (each for each in repository.get_issues(state="open", labels=[LABEL]) if each.title == title), None
        )
        if body is None:
            if found:
                found.edit(state="closed", state_reason="completed")
            return found.html_url if found else ""
        if found:
            found.edit(body=body)
            return found.html_url
        return repository.create_issue(title, body=body, labels=[LABEL]).html_url
    except GithubException as error:
        raise _refused(error) from error


def _refused(error: GithubException) -> LocalError:
    return LocalError(f"GitHub answers {error.status}: {error.message or 'nothing more'}")
