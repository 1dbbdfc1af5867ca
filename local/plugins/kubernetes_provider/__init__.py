"""Stand-in for `pulumi-resource-kubernetes`: makes, awaits, reads and deletes Kubernetes objects for the engine."""

# The version whose schema and behaviour this stand-in follows: the Python SDK of the same number describes the inputs.
VERSION = "4.34.2"
