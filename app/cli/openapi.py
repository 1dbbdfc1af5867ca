"""`openapi`: print the OpenAPI document."""

import json
import sys


def openapi() -> int:
    from app.bootstrap.container import build, sample_settings
    from app.bootstrap.http import create_app
    from app.core.http.openapi import document

    json.dump(document(create_app(build(sample_settings()))), sys.stdout, indent=2)
    sys.stdout.write("\n")
    return 0
