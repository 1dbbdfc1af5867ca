"""HTTP only: a blueprint a resource, schemas, problem+json errors, OpenAPI."""
