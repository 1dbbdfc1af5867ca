"""Mutation testing: mutants of `app` and `infra` by mutmut's operators, run against the tests that are to kill them."""
