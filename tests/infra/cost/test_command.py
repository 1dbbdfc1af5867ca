"""`make cost`: what it prints, and how it fails."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from infra import commands
from infra.cost import __main__ as command
from infra.cost import page, report, stack
from infra.cost.stack import ROOT


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a stack `prod` on the platform `cloud`, with a secret; and one without a platform."""
    platform = tmp_path / "infra" / "platform"
    platform.mkdir(parents=True)
    (platform / "Pulumi.cloud.yaml").write_text(
        "config:\n"
        "  task-manager-platform:cluster: digitalocean\n"
        "  task-manager-platform:phase: 2\n"
        "  task-manager-platform:region: ams3\n"
        "  task-manager-platform:admin_addresses: 192.0.2.7/32\n"
    )
    (tmp_path / "Pulumi.prod.yaml").write_text(
        "config:\n"
        '  task-manager:phase: "2"\n'
        "  task-manager:platform: organization/task-manager-platform/cloud\n"
        "  task-manager:budget: 200\n"
        "  task-manager:url: https://tasks.example.com\n"
        "  task-manager:mail:\n"
        "    host: mail.example.com\n"
        "    sender: tasks@example.com\n"
        "    user:\n"
        "      secure: v1:not-to-be-read\n"
    )
    (tmp_path / "Pulumi.own.yaml").write_text(
        'config:\n  task-manager:phase: "2"\n  task-manager:hostname: tasks.example.com\n  task-manager:url: https://tasks.example.com\n'
    )
    monkeypatch.setattr(command, "stack_settings", lambda name: stack.stack_settings(name, tmp_path))
    monkeypatch.setattr(command, "platform_settings", lambda name: stack.platform_settings(name, tmp_path))
    return tmp_path


def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["cost", *words])
    code = commands.run(command.app)
    said = capsys.readouterr()
    return code, said.out, said.err


def test_a_stack_on_its_platform_is_priced_from_both_files(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert project
    code, said, _ = run(monkeypatch, capsys, "stack", "prod", "--json")
    found = json.loads(said)
    assert code == 0
    assert (found["stack"], found["budget"], found["provider"]) == ("prod", 200, "digitalocean")
    assert found["least"] == round(sum(part["least"] for part in found["components"].values()), 2)
    code, said, problem = run(monkeypatch, capsys, "check", "prod")
    assert (code, problem) == (0, "")
    assert re.fullmatch(r"cost: prod costs \$\d+ to \$\d+ a month on digitalocean, budget \$200\n", said)
    assert "of a budget of $200" in run(monkeypatch, capsys, "stack", "prod")[1]


def test_a_stack_over_its_budget_fails_with_one_line(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = project / "Pulumi.prod.yaml"
    file.write_text(file.read_text().replace("budget: 200", "budget: 100"))
    code, said, problem = run(monkeypatch, capsys, "check", "prod")
    assert (code, said) == (1, "")
    assert problem.startswith("cost: prod costs up to $")
    assert problem.count("\n") == 1


def test_a_stack_without_a_platform_costs_what_nobody_knows(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, capsys, "check", "own") == (0, "", "")
    assert "set task-manager:platform" in run(monkeypatch, capsys, "stack", "own")[1]
    with (project / "Pulumi.own.yaml").open("a") as file:
        file.write("  task-manager:budget: 100\n")
    code, _, problem = run(monkeypatch, capsys, "check", "own")
    assert code == 1
    assert problem.endswith("its budget of $100 can't be checked\n")


@pytest.mark.parametrize(
    ("name", "wrong", "told"),
    [
        ("missing", "", "there is no Pulumi.missing.yaml in "),
        ("prod", "  task-manager:bugdet: 5\n", "task-manager:bugdet"),
        ("prod", "  task-manager:budget: many\n", "task-manager:budget"),
    ],
)
def test_bad_input_is_one_line_without_a_traceback(
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    wrong: str,
    told: str,
) -> None:
    if wrong:
        file = project / f"Pulumi.{name}.yaml"
        file.write_text(file.read_text().replace("  task-manager:budget: 200\n", "") + wrong)
    code, said, problem = run(monkeypatch, capsys, "check", name)
    assert (code, said) == (1, "")
    assert told in problem
    assert problem.count("\n") == 1


def test_phases_are_a_table_in_a_pipe_and_json_for_scripts() -> None:
    def cost(*words: str) -> str:
        ran = subprocess.run([sys.executable, "-m", "infra.cost", *words], cwd=ROOT, capture_output=True, text=True)
        assert (ran.returncode, ran.stderr) == (0, "")
        return ran.stdout

    table = cost("phases")
    assert "\x1b" not in table
    assert "against the budget" in table
    bills = json.loads(cost("phases", "--json"))
    assert [(each["phase"], each["provider"]) for each in bills] == [
        (each.phase, str(each.bill.provider)) for each in report.phase_bills()
    ]


def test_the_page_and_its_chart_are_those_of_the_program(tmp_path: Path) -> None:
    page.write(tmp_path / "cost.md", tmp_path / "cost.svg")
    for file in (page.PAGE, page.CHART):
        assert (tmp_path / file.name).read_text() == file.read_text(), "run `make cost-page`"
