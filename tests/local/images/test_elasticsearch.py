"""Elasticsearch's files: one version, each module described, and settings by the rules of the official image."""

from __future__ import annotations

import subprocess
from pathlib import Path

from infra.components.observability import log_shipper
from local import paths
from local.images import catalogue, elasticsearch
from local.tools import maven


def test_each_module_that_is_described_has_jars_and_each_with_jars_is_described() -> None:
    locked = {artifact.folder for artifact in maven.artifacts(paths.ELASTICSEARCH_JARS.read_text())}
    # Ours is compiled.
    assert locked == {"lib", *(f"modules/{name}" for name in elasticsearch.MODULES if name != "data-streams")}


def test_all_of_elasticsearchs_own_jars_have_its_version() -> None:
    locked = maven.artifacts(paths.ELASTICSEARCH_JARS.read_text())
    versions = {each.coordinates.split(":")[2] for each in locked if each.coordinates.startswith("org.elasticsearch")}
    assert versions == {elasticsearch.VERSION}
    assert f":{elasticsearch.VERSION}" in catalogue.ELASTICSEARCH.reference


def test_the_shippers_image_is_the_one_that_the_program_names() -> None:
    assert catalogue.FILEBEAT.reference == log_shipper.IMAGE


def test_a_policy_grants_what_a_module_needs() -> None:
    assert elasticsearch.policy(('java.a.B "c", "d"',)) == 'grant {\n  permission java.a.B "c", "d";\n};\n'
    assert elasticsearch.policy(()) == "grant {\n};\n"


def test_variables_with_a_dot_are_settings_and_others_are_not(tmp_path: Path) -> None:
    script = tmp_path / "elasticsearch"
    text = (elasticsearch.SOURCES / "elasticsearch.sh").read_text()
    script.write_text(text.replace(f"/{elasticsearch.HOME}", str(tmp_path)))
    java = tmp_path / "java"
    java.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    java.chmod(0o755)
    environment = {
        "PATH": f"{tmp_path}:/usr/bin:/bin",
        "ES_JAVA_OPTS": "-Xms1m -Xmx2m",
        "discovery.type": "single-node",
        "cluster.name": "two words",
        "NOT.one": "x",
        "plain": "x",
    }
    command = ["env", "-i", *(f"{name}={value}" for name, value in environment.items()), "bash", str(script)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    assert sorted(word for word in said if word.startswith("-E")) == [
        "-Ecluster.name=two words",
        "-Ediscovery.type=single-node",
    ]
    assert {"-Xms1m", "-Xmx2m"} <= set(said)
    assert said.index("-Xmx2m") < said.index("org.elasticsearch.bootstrap.Elasticsearch")
