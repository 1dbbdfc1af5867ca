"""Filebeat's configuration, and the index template that it brings to Elasticsearch.

Filebeat 7.17, which the tests run, and 8.19, which the program names, read it alike: it says aloud what their defaults
differ in, and needs nothing that only one of them has.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from infra import names
from infra.config import phase_spec

PODS: Final = "/var/log/pods"
"""Where the kubelet keeps what containers write, as NAMESPACE_POD_UID/CONTAINER/NUMBER.log."""
CONFIG: Final = "/etc/filebeat"
DATA: Final = "/data"
STATUS_PORT: Final = 5066

# What a line's fields are called in the Elastic Common Schema, and of which type they have to be: a line that says
# otherwise keeps that field under `json`, and is taken all the same.
_FIELDS: Final = {
    "event": ("message", "string"),
    "msg": ("message", "string"),  # the database operator's and the gateway's word for it
    "level": ("log.level", "string"),
    "logger": ("log.logger", "string"),
    "request_id": ("http.request.id", "string"),
    "method": ("http.request.method", "string"),
    "status": ("http.response.status_code", "long"),
    "path": ("url.path", "string"),
    "user_id": ("user.id", "string"),
    "trace_id": ("trace.id", "string"),
    "span_id": ("span.id", "string"),
    "version": ("service.version", "string"),
    "duration_ms": ("duration_ms", "double"),
}


@dataclass(frozen=True)
class Shipping:
    """What is shipped, and where to.

    Args:
        namespace: whose pods are read.
        stack: its name.
        endpoint: Elasticsearch's address, with its port.
        credentials: keys of the output that say who calls, with names of variables for values.
        row: how long lines are kept, and how many of them may wait.
        retention: whether Elasticsearch is told how long; versions before 8.14 refuse a template that says so.
        pods: the kubelet's folder.
    """

    namespace: str
    stack: str
    endpoint: str
    credentials: Mapping[str, str]
    row: phase_spec.Logs
    retention: bool = True
    pods: str = PODS

    @property
    def stream(self) -> str:
        """The data stream, by Elastic's scheme of type, dataset and namespace: none of the three may have a hyphen."""
        return f"logs-task_manager-{self.stack.lower().replace('-', '_')}"


def files(shipping: Shipping) -> dict[str, str]:
    """What lies in the folder CONFIG."""
    return {
        "filebeat.yml": yaml.safe_dump(configuration(shipping), sort_keys=False),
        "template.json": json.dumps(template(shipping), indent=2),
    }


def arguments(config: str = CONFIG, data: str = DATA) -> list[str]:
    """Filebeat's command line, for a configuration and a folder that it may write to."""
    return ["-e", f"--path.config={config}", f"--path.data={data}"]


def template(shipping: Shipping) -> dict[str, Any]:
    """A data stream of fields that are known, and `json` for all the rest.

    `flattened` takes whatever an object holds as one field: programs that mean different things by the same word do not
    have each other's lines refused, and no line makes the mapping grow.
    """
    keyword = {"type": "keyword", "ignore_above": 1024}
    of_type = {"string": keyword, "long": {"type": "long"}, "double": {"type": "double"}}
    known = {field: of_type[kind] for field, kind in _FIELDS.values()} | {
        "@timestamp": {"type": "date"},
        "message": {"type": "text"},
        "json": {"type": "flattened", "ignore_above": 8191},  # 32766 bytes, Lucene's limit, in characters of four
        "stream": keyword,
        "log.offset": {"type": "long"},
        "host.name": keyword,
        "service.name": keyword,
        "service.environment": keyword,
        "kubernetes.namespace": keyword,
        "kubernetes.pod.name": keyword,
        "kubernetes.pod.uid": keyword,
        "kubernetes.container.name": keyword,
    }
    lifecycle = {"lifecycle": {"data_retention": f"{shipping.row.days}d"}} if shipping.retention else {}
    return {
        "index_patterns": [shipping.stream],
        "data_stream": {},
        "priority": 300,  # above Elasticsearch's own for logs-*-*
        "template": {
            **lifecycle,
            "settings": {"index": {"auto_expand_replicas": "0-1"}},
            "mappings": {"dynamic": False, "properties": known},
        },
    }


def configuration(shipping: Shipping) -> dict[str, Any]:
    """Read what the stack's pods write, make fields of it, and send it; what cannot be sent waits on the disk."""
    return {
        "filebeat.inputs": [_pods(shipping)],
        "processors": _processors(shipping),
        # What is read goes to the disk first, so nothing waits in memory and a restart loses nothing. When the queue is
        # full, reading stops: what the kubelet has not yet put away or compressed is read later.
        "queue.disk": {"max_size": f"{shipping.row.buffer}MiB"},
        "output.elasticsearch": {
            "hosts": [shipping.endpoint],
            **shipping.credentials,
            "index": shipping.stream,
            "bulk_max_size": 200,  # of the longest usual lines, a body of a few MB; Elasticsearch takes 100
            "compression_level": 1,
            # It tries for ever; the pauses double.
            "backoff": {"init": "1s", "max": "30s"},
        },
        "setup.ilm.enabled": False,
        "setup.template": {
            "enabled": True,
            "overwrite": True,  # a new version's fields, or another retention
            "type": "index",
            "name": shipping.stream,
            "pattern": shipping.stream,
            "json": {"enabled": True, "path": "template.json", "name": shipping.stream},
        },
        "name": "${NODE_NAME}",
        "logging": {"level": "warning", "metrics.enabled": False},
        "http": {"enabled": True, "host": "0.0.0.0", "port": STATUS_PORT},  # noqa: S104 - for the kubelet's probes
    }


def _pods(shipping: Shipping) -> dict[str, Any]:
    return {
        "type": "filestream",
        "id": "pods",
        # With what the kubelet has put away but not compressed yet. No other namespace's name goes on with a `_`.
        "paths": [f"{shipping.pods}/{shipping.namespace}_*/*/*.log*"],
        "prospector.scanner": {
            "exclude_files": [r"\.gz$", r"\.tmp$"],
            "check_interval": "5s",
            "symlinks": False,
            "fingerprint.enabled": False,
        },
        # A file that is put away keeps its inode. The other way, by a hash of its beginning, waits until that is there.
        "file_identity.native": None,
        "parsers": [{"container": {"stream": "all", "format": "cri"}}],
    }


def _processors(shipping: Shipping) -> list[dict[str, Any]]:
    return [
        {
            "dissect": {
                "field": "log.file.path",
                "target_prefix": "",
                "tokenizer": f"{shipping.pods}/"
                "%{kubernetes.namespace}_%{kubernetes.pod.name}_%{kubernetes.pod.uid}/%{kubernetes.container.name}/%{}",
            }
        },
        # The same line is the same document, however often it is sent. Here @timestamp is the container runtime's.
        {
            "fingerprint": {
                "fields": ["@timestamp", "log.offset", "kubernetes.pod.uid", "kubernetes.container.name"],
                "target_field": "@metadata._id",
            }
        },
        {
            "if": {"regexp": {"message": r"^\{"}},
            "then": [{"decode_json_fields": {"fields": ["message"], "target": "json"}}],
        },
        {
            "if": {"has_fields": ["json"]},
            "then": [
                {"drop_fields": {"fields": ["message"]}},
                *(
                    {
                        "timestamp": {
                            "field": f"json.{field}",
                            "layouts": ["2006-01-02T15:04:05.999999999Z07:00"],
                            "ignore_missing": True,
                            "ignore_failure": True,
                        }
                    }
                    for field in ("timestamp", "ts")
                ),
                {
                    "convert": {
                        "fields": [
                            {"from": f"json.{field}", "to": to, "type": kind} for field, (to, kind) in _FIELDS.items()
                        ],
                        "mode": "rename",
                        "ignore_missing": True,
                        "fail_on_error": False,
                    }
                },
            ],
        },
        {
            "add_fields": {
                "target": "service",
                "fields": {"name": names.PROJECT, "environment": shipping.stack},
            }
        },
        {"drop_fields": {"fields": ["agent", "ecs", "input", "log.file"], "ignore_missing": True}},
    ]
