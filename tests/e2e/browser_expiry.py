"""Expiry of an access token while requests with it are under way."""

from __future__ import annotations

from playwright.sync_api import Page, Response, Route

V1 = "/api/v1"


class Expiry:
    """From here on the server refuses the token in use, to several requests together.

    The token is spoiled on its way, so that the refusals are the server's own. The renewal is held back until all the
    requests have been refused: a front end that renews once for each would then do so.
    """

    def __init__(self, page: Page, together: int) -> None:
        self._page = page
        self._together = together
        self._token: str | None = None
        self._refused = 0
        self._accepted = 0
        self._renewals: list[Route] = []
        page.on("response", self._note)
        page.route(f"**{V1}/auth/refresh", self._hold)
        page.route(f"**{V1}/tasks/*", self._spoil)

    def renewals(self) -> int:
        """Wait until the requests have gone well at last; give everything free and return how many renewals it took."""
        while self._accepted < self._together:
            self._page.wait_for_event("response")
        self._page.unroute_all()
        self._page.remove_listener("response", self._note)
        return len(self._renewals)

    def _spoil(self, route: Route) -> None:
        headers = route.request.headers
        self._token = self._token or headers["authorization"]
        if headers["authorization"] == self._token:
            headers = {**headers, "authorization": f"{self._token}x"}
        route.continue_(headers=headers)

    def _hold(self, route: Route) -> None:
        self._renewals.append(route)
        if self._refused >= self._together:
            route.continue_()

    def _note(self, response: Response) -> None:
        if f"{V1}/tasks/" not in response.url:
            return
        if response.ok:
            self._accepted += 1
            return
        self._refused += 1
        if self._refused == self._together:
            for route in self._renewals:
                route.continue_()
