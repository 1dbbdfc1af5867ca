"""Options of `configure-broker`."""

import pytest

from app.__main__ import parser

REQUIRED = ("configure-broker", "--host", "rabbitmq", "--ca-file", "ca", "--user", "root", "--password-file", "word")


def test_each_service_has_a_file_with_its_password() -> None:
    options = parser().parse_args([*REQUIRED, "--service", "auth=/a=b", "--service", "tasks=/c"])
    assert options.users == [("auth", "/a=b"), ("tasks", "/c")]


def test_a_service_without_a_file_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        parser().parse_args([*REQUIRED, "--service", "tasks"])
    assert capsys.readouterr().err.endswith("error: argument --service: tasks: must have a = between its two parts\n")
