"""Service of a request, in a process that has all of them."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map

from app.core.database_split.moved_services import MovedServices
from app.core.http.signed_urls import PREFIX


class ServiceRoutes:
    """Finds the service of a request by its route.

    Args:
        routes: of the application.
        owners: the service of each blueprint; routes of others belong to none.
    """

    def __init__(self, routes: Map, owners: Mapping[str, str]) -> None:
        self._routes = routes.bind("")
        self._owners = owners

    def service_of(self, environ: Mapping[str, Any]) -> str | None:
        """Return the service of a request; None if it is of no single one, or has no route."""
        path = environ["PATH_INFO"]
        if path.startswith(PREFIX):  # a file's address names the service that has made it, if it is one apart
            named = parse_qs(str(environ.get("QUERY_STRING", ""))).get("service")
            return named[0] if named else None
        try:
            endpoint, _ = self._routes.match(path, environ["REQUEST_METHOD"])
        except HTTPException:
            return None
        return self._owners.get(endpoint.partition(".")[0])

    def moved_to(self, moved: MovedServices, environ: Mapping[str, Any], now: bool) -> str | None:
        """Return the address of the servers to which the service of a request has moved; None if it has not.

        Args:
            moved: the services that have moved.
            environ: of the request.
            now: whether to ask the database rather than use what is known.
        """
        addresses = moved.now() if now else moved.known()
        service = self.service_of(environ) if addresses else None
        return None if service is None else addresses.get(service)
