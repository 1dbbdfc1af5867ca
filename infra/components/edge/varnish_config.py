"""How Varnish obeys the rules of the edge: its configuration, as pure functions.

Two have to agree before anything is kept: the table, by path, and the application, by `public` in its answer. A request
with `Authorization` goes past the cache, and so does an answer that sets a cookie (RFC 9111, section 3.5).
"""

import re
from collections.abc import Sequence
from typing import Final

from infra.components.edge.cache_rules import RULES, Rule

HEALTH: Final = "/edge/health"
PURGE: Final = "PURGE"
"""The method by which everything is dropped, at a port of its own that nobody outside reaches."""


def _pattern(rule: Rule) -> str:
    return re.escape(rule.path) + ("$" if rule.whole else "")


def _lifetime(rule: Rule) -> str:
    return f"""\
    if (bereq.url ~ "^{_pattern(rule)}") {{
        set beresp.ttl = {rule.keep}s;
        set beresp.grace = {rule.stale}s;
    }}"""


_VCL: Final = """\
vcl 4.1;

backend origin {
    .host = "ORIGIN_HOST";
    .port = "ORIGIN_PORT";
    .connect_timeout = 2s;
    .first_byte_timeout = 30s;
    .between_bytes_timeout = 10s;
}

sub vcl_recv {
    if (local.socket == "purge") {
        if (req.method != "PURGE") {
            return (synth(405));
        }
        ban("obj.status != 0");
        return (synth(200, "Purged"));
    }
    if (req.url == "HEALTH") {
        return (synth(200));
    }
    # The gateway has named the client; Varnish has added the gateway, which the application does not want to know.
    set req.http.X-Forwarded-For = regsub(req.http.X-Forwarded-For, ",[^,]*$", "");
    if ((req.method != "GET" && req.method != "HEAD") || req.http.Authorization) {
        return (pass);
    }
    # None of these answers depends on the query: whoever makes queries up reaches no further than others.
    set req.http.X-Edge-Path = regsub(req.url, "\\?.*$", "");
    if (req.http.X-Edge-Path !~ "^(KEPT)") {
        unset req.http.X-Edge-Path;
        return (pass);
    }
    set req.url = req.http.X-Edge-Path;
    unset req.http.X-Edge-Path;
    unset req.http.Cookie;
    return (hash);
}

sub vcl_hash {
    # By TLS, an answer says so (Strict-Transport-Security).
    hash_data(req.http.X-Forwarded-Proto);
}

sub vcl_backend_response {
    if (bereq.uncacheable) {
        return (deliver);
    }
    if (beresp.status >= 500 && bereq.is_bgfetch) {
        # Better the old answer for a while longer than an error.
        return (abandon);
    }
    if (beresp.status != 200 || beresp.http.Set-Cookie || beresp.http.Cache-Control !~ "^public\\b") {
        set beresp.uncacheable = true;
        set beresp.ttl = 1s;
        return (deliver);
    }
LIFETIMES
    # Of who asked first; who asks next has an identifier of their own.
    unset beresp.http.X-Request-ID;
    return (deliver);
}

sub vcl_backend_error {
    # A pod that has just gone: another one answers.
    if (bereq.retries < 2 && (bereq.method == "GET" || bereq.method == "HEAD")) {
        return (retry);
    }
    set beresp.http.Cache-Control = "no-store";
}

sub vcl_deliver {
    if (obj.uncacheable) {
        set resp.http.X-Cache = "pass";
        return (deliver);
    }
    set resp.http.X-Cache = "miss";
    if (obj.hits > 0) {
        set resp.http.X-Cache = "hit";
    }
    if (req.http.X-Request-ID ~ "^[A-Za-z0-9._-]{8,64}$") {
        set resp.http.X-Request-ID = req.http.X-Request-ID;
    }
}
"""


def vcl(host: str, port: int, rules: Sequence[Rule] = RULES) -> str:
    """The configuration in Varnish's own language.

    Args:
        host, port: where the application answers.
        rules: what may be kept.
    """
    words = {
        "ORIGIN_HOST": host,
        "ORIGIN_PORT": str(port),
        "HEALTH": HEALTH,
        "KEPT": "|".join(_pattern(rule) for rule in rules),
        "LIFETIMES": "\n".join(_lifetime(rule) for rule in rules),
    }
    return re.sub("|".join(words), lambda found: words[found[0]], _VCL)


# Varnish resolves the name of its origin once, when it compiles its configuration, and nobody commands it to do so
# again. So it ends when the name leads elsewhere, as after its Service was made anew, and its container is started
# again. A name server that is away is no change. The loop ends with the server.
_WATCHED: Final = """\
origin="$1"; pause="$2"; shift 2
addresses() { getent ahosts "$origin" | cut -d ' ' -f 1 | sort -u; }
known="$(addresses)"
while sleep "$pause" && kill -0 $$ 2> /dev/null; do
  now="$(addresses)"
  if [ -n "$now" ] && [ "$now" != "$known" ]; then
    echo "$origin has another address: ending, to be started again with it" >&2
    kill $$
  fi
done &
exec "$@"
"""


def watched(host: str, command: Sequence[str], *, seconds: float = 10) -> list[str]:
    """The command line that ends the server when a host has another address than at the server's start.

    Args:
        host: of the origin.
        command: the server's own command line.
        seconds: between two looks.
    """
    return ["sh", "-c", _WATCHED, "varnish", host, f"{seconds:g}", *command]


def arguments(*, file: str, directory: str, listen: str, purge: str, memory: int) -> list[str]:
    """The command line.

    Args:
        file: the configuration.
        directory: where it works: it compiles its configuration there, and keeps its log in memory.
        listen, purge: addresses for requests, and for the order to drop everything.
        memory: MiB for what is kept.
    """
    return [
        "varnishd",
        "-F",
        *("-j", "none"),  # it has no right to give up
        *("-T", "none"),  # nobody commands it
        *("-n", directory),
        *("-f", file),
        *("-a", f"http={listen}"),
        *("-a", f"purge={purge}"),
        *("-s", f"malloc,{memory}m"),
        *("-s", f"Transient=malloc,{memory // 4}m"),
        *("-p", "vsl_space=8M"),
    ]


def exporter_arguments(*, directory: str, listen: str) -> list[str]:
    """The command line of the exporter, which reads the counters of a Varnish for Prometheus.

    Args:
        directory: where that Varnish works.
        listen: address for `/metrics`, and for `/health`, which says that the exporter itself lives.
    """
    return [
        "prometheus-varnish-exporter",
        *("-n", directory),
        *("-web.listen-address", listen),
        *("-web.health-path", "/health"),
    ]
