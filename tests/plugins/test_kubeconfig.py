"""A kubeconfig is read the way kubectl reads it, and a bad one is explained."""

import base64
import stat
from pathlib import Path

import pytest
import yaml

from local.plugins.kubernetes_provider.errors import ProviderError
from local.plugins.kubernetes_provider.kubeconfig import load


def write(path: Path, **changes: object) -> Path:
    """Write a kubeconfig with two contexts."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "one",
        "contexts": [
            {"name": "one", "context": {"cluster": "one", "user": "jane", "namespace": "shop"}},
            {"name": "two", "context": {"cluster": "two", "user": "jane"}},
        ],
        "clusters": [
            {"name": "one", "cluster": {"server": "https://one:6443", "certificate-authority": "ca.crt"}},
            {"name": "two", "cluster": {"server": "https://two:6443/", "insecure-skip-tls-verify": True}},
        ],
        "users": [{"name": "jane", "user": {"token": "t"}}],
        **changes,
    }
    path.write_text(yaml.safe_dump(config))
    (path.parent / "ca.crt").write_bytes(b"authority")
    return path


def test_the_current_context_is_used_with_files_beside_the_kubeconfig(tmp_path: Path) -> None:
    found = load(str(write(tmp_path / "config")))
    assert (found.server, found.namespace, found.authority) == ("https://one:6443", "shop", b"authority")
    assert found.headers == {"Authorization": "Bearer t"}


def test_another_context_can_be_chosen(tmp_path: Path) -> None:
    found = load(str(write(tmp_path / "config")), "two")
    assert (found.server, found.namespace, found.insecure) == ("https://two:6443", "default", True)


def test_the_content_is_taken_as_well_as_a_path(tmp_path: Path) -> None:
    text = (
        write(tmp_path / "config")
        .read_text()
        .replace("certificate-authority: ca.crt", "insecure-skip-tls-verify: true")
    )
    assert load(text).server == "https://one:6443"


def test_several_files_are_merged_and_the_first_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "b").mkdir()
    first = write(tmp_path / "a", contexts=[{"name": "one", "context": {"cluster": "two", "user": "jane"}}])
    second = write(tmp_path / "b" / "config")
    monkeypatch.setenv("KUBECONFIG", f"{first}:{second}:{tmp_path / 'missing'}")
    assert load(None).server == "https://two:6443"
    assert load(None, "two").server == "https://two:6443"


def test_client_certificates_are_read_from_data(tmp_path: Path) -> None:
    pair = {key: base64.b64encode(key.encode()).decode() for key in ("client-certificate-data", "client-key-data")}
    found = load(str(write(tmp_path / "config", users=[{"name": "jane", "user": pair}])))
    assert (found.certificate, found.key) == (b"client-certificate-data", b"client-key-data")


def test_a_credential_command_is_asked(tmp_path: Path) -> None:
    command = tmp_path / "login"
    command.write_text('#!/bin/sh\necho "{\\"status\\": {\\"token\\": \\"$PLACE-token\\"}}"\n')
    command.chmod(command.stat().st_mode | stat.S_IXUSR)
    plugin = {"command": str(command), "env": [{"name": "PLACE", "value": "cloud"}]}
    found = load(str(write(tmp_path / "config", users=[{"name": "jane", "user": {"exec": plugin}}])))
    assert found.headers == {"Authorization": "Bearer cloud-token"}


def test_a_credential_command_that_fails_is_named_with_its_reason(tmp_path: Path) -> None:
    plugin = {"command": "sh", "args": ["-c", "echo session expired >&2; exit 1"]}
    path = write(tmp_path / "config", users=[{"name": "jane", "user": {"exec": plugin}}])
    with pytest.raises(ProviderError, match="credential command sh failed: session expired"):
        load(str(path))


def test_no_kubeconfig_says_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(
        ProviderError, match=r"there is no kubeconfig at .*/nowhere: start a cluster, or set KUBECONFIG"
    ):
        load(str(tmp_path / "nowhere"))


def test_an_unknown_context_lists_those_that_are_there(tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match=r"has no context 'three' \(there: one, two\)"):
        load(str(write(tmp_path / "config")), "three")


def test_a_file_that_is_no_kubeconfig_is_named(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text("just words")
    with pytest.raises(ProviderError, match="is not a kubeconfig"):
        load(str(path))


def test_credentials_do_not_show_in_what_is_printed(tmp_path: Path) -> None:
    assert "Bearer" not in repr(load(str(write(tmp_path / "config"))))
