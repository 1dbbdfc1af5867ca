"""`grant-admin`: create the first administrator; further ones are appointed through the API."""

import sys

from app.cli import fail
from app.core.errors import ServiceError
from app.core.settings import SettingsError, load_settings


def grant_admin(email: str) -> int:
    """Make the account of an e-mail address an administrator; its sessions end."""
    from app.bootstrap.container import build

    try:
        build(load_settings(), services=("auth",)).auth.admin.grant_admin(email)
    except SettingsError as error:
        return fail(str(error), 2)
    except ServiceError as error:
        return fail(str(error))
    sys.stdout.write(f"{email} is an administrator: log in again to use it\n")
    return 0
