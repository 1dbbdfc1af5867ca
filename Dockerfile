# syntax=docker/dockerfile:1
# One image for the API, its migrations and its jobs; the first argument says which (see `python -m app --help`).
# The index of all architectures, of Python 3.11.16, as public repositories have resolved it (2026-10); .github/renovate.json
# keeps it. Whoever builds on another base, such as the local cluster's, names it by the argument.
# checkov:skip=CKV_DOCKER_7: the base is named by digest, in an argument that this rule does not follow
# checkov:skip=CKV_DOCKER_2: Kubernetes reads no HEALTHCHECK; the chart has the probes
ARG BASE_IMAGE=docker.io/library/python:3.11-slim-bookworm@sha256:a36c24f9cbdf4fd0f52d67f0823eeac19c2028c637cecc392d97f980d4fec56b

FROM ${BASE_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1
COPY requirements/app.txt /tmp/app.txt
RUN python3 -m venv --without-pip /opt/venv \
    && python3 -m venv /tmp/installer \
    && /tmp/installer/bin/pip --python /opt/venv/bin/python install --require-hashes --no-deps --only-binary :all: -r /tmp/app.txt \
    && find /opt/venv -depth -type d \( -name tests -o -name test \) -exec rm -rf {} +
COPY app /srv/app
COPY pyproject.toml /srv/pyproject.toml
# Bytecode is compiled here, because the running container cannot write it: it starts faster so.
RUN /opt/venv/bin/python -m compileall -q -j 0 /opt/venv/lib /srv/app

FROM ${BASE_IMAGE}
ARG VERSION=0.0.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="task-manager" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 APP_REVISION=${REVISION}
COPY --from=build /opt/venv /opt/venv
COPY --from=build /srv /srv
WORKDIR /srv
USER 10001:10001
EXPOSE 8000 9464
ENTRYPOINT ["python", "-m", "app"]
CMD ["serve"]
