"""/users/me/avatar: the caller's avatar."""

from http import HTTPStatus

from flask import Response, request
from flask_openapi.blueprint import APIBlueprint

from app.auth.account_routes import MyAccount
from app.auth.avatars import AvatarService
from app.auth.service import AuthService
from app.core.http.authentication import Authenticator, current_caller
from app.core.http.signed_urls import SignedUrls
from app.core.http.uploads import FILE_BODY, require_form, uploaded

LIMIT = 10 << 20
"""Bytes of a picture: 10 MiB."""


def blueprint(
    service: AvatarService,
    accounts: AuthService,
    authenticator: Authenticator,
    urls: SignedUrls,
    mail_enabled: bool,
) -> APIBlueprint:
    """Routes of the caller's avatar.

    Args:
        mail_enabled: whether the deployment sends mail.
    """
    avatar = APIBlueprint(
        "avatar",
        __name__,
        url_prefix="/api/v1/users/me/avatar",
        abp_tags=[{"name": "account"}],
        abp_security=[{"bearer": []}],
    )
    authenticator.protect(avatar)

    @avatar.before_request
    def check_body() -> Response | None:
        return require_form() if request.method == "PUT" else None

    @avatar.put("", request_body=FILE_BODY, responses={200: MyAccount}, operation_id="set_avatar")
    def replace() -> Response:
        """Set the caller's avatar: JPEG, PNG, WebP or GIF of up to 10 MiB"""
        user_id = current_caller().user_id
        service.replace(user_id, uploaded(LIMIT).file)
        return MyAccount.of_caller(accounts.user(user_id), urls, mail_enabled).response()

    @avatar.delete("", responses={204: None}, operation_id="delete_avatar")
    def remove() -> Response:
        """Remove the caller's avatar"""
        service.remove(current_caller().user_id)
        return Response(status=HTTPStatus.NO_CONTENT)

    return avatar
