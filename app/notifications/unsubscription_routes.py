"""/notifications/unsubscribe: one-click unsubscription, without authentication. A page and a form, not a JSON API."""

from collections.abc import Callable
from http import HTTPStatus
from types import MappingProxyType

from flask import Response, make_response, render_template, request
from flask_openapi.blueprint import APIBlueprint

from app.core.errors import InvalidError
from app.notifications.model import Kind
from app.notifications.unsubscription import PATH, UnsubscriptionService

NAMES = MappingProxyType(
    {
        Kind.REMINDER: "reminders",
        Kind.OVERDUE: "overdue tasks",
        Kind.TASK_CHANGED: "imports",
        Kind.REPORT: "the weekly report",
    }
)


def blueprint(service: UnsubscriptionService) -> APIBlueprint:
    """Routes of the links in mails."""
    links = APIBlueprint("unsubscription", __name__, url_prefix=PATH, template_folder="templates", doc_ui=False)

    @links.get("")
    def ask() -> Response:
        """Ask for a click: programs that scan mails open links too."""
        return _page("question", service.kind_of)

    @links.post("")
    def unsubscribe() -> Response:
        return _page("done", service.unsubscribe)

    return links


def _page(part: str, kind_of: Callable[[str], Kind]) -> Response:
    """Return the page about the kind of mails that the request's token is about.

    Args:
        part: part of the page that names the kind.
        kind_of: returns the kind.
    """
    try:
        content = {part: NAMES[kind_of(request.args.get("token", ""))]}
    except InvalidError:
        return make_response(render_template("unsubscribe.html"), HTTPStatus.UNPROCESSABLE_ENTITY)
    return make_response(render_template("unsubscribe.html", **content))
