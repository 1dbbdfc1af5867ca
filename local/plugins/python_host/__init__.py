"""Stand-in for `pulumi-language-python`: runs a Pulumi program written in Python for the engine."""
