"""`openapi`: print the OpenAPI document."""

import json
import sys


def openapi() -> int:
    from app.api.openapi import document
    from app.bootstrap import build, create_app, sample_settings

    json.dump(document(create_app(build(sample_settings()))), sys.stdout, indent=2)
    sys.stdout.write("\n")
    return 0
