# `make help` lists every target. The two that set everything up are `make up` and `make test`.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV := .venv
APP := $(VENV)/app/bin
INFRA := $(VENV)/infra/bin
PLATFORM := $(VENV)/platform/bin
CHECKS := $(VENV)/checks/bin

# --- environments: of the API, the two Pulumi projects, the checkers, mutation testing and the bench; all locked with hashes

$(VENV)/app/.ready: requirements/app-test.txt
$(VENV)/infra/.ready: requirements/infra-test.txt
$(VENV)/platform/.ready: requirements/platform-test.txt
$(VENV)/checks/.ready: requirements/checks.txt
$(VENV)/policy-pack/.ready: requirements/policy-pack.txt
$(VENV)/mutants/.ready: requirements/mutants.txt
$(VENV)/bench/.ready: requirements/bench.txt
$(VENV)/%/.ready:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "make: $(PYTHON) is older than 3.11: set PYTHON to a newer one" >&2; exit 1; }
	@echo "environment $*: installing from $<"
	@$(PYTHON) -m venv --clear $(VENV)/$*
	@$(VENV)/$*/bin/pip install --quiet --no-compile --disable-pip-version-check --require-hashes --no-deps -r $<
	@touch $@

# --- the local cluster and the stack on it
# PHASE picks a ready-made stack, phase1 to phase4; STACK names any other. Without either, url, status and shell speak of
# the stack that came up last.
STACK ?= $(if $(PHASE),phase$(PHASE))
up e2e: PHASE ?= 1
LOCAL := $(INFRA)/python -m local
# What a shell needs to run pulumi, kubectl and helm against the cluster: PATH, KUBECONFIG, the state's address, the image.
ENVIRONMENT = eval "$$($(LOCAL) env)"

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  \033[36m%-15s\033[0m %s\n", $$1, $$2 }' $(MAKEFILE_LIST) | $(if $(MAKE_TERMOUT),cat,sed 's/\x1b\[[0-9;]*m//g')

.PHONY: up
up: $(VENV)/infra/.ready ## Bring the task manager up on a Kubernetes: make up [PHASE=1] [NODES=1] [CLUSTER=kind]
	@$(LOCAL) up --phase $(PHASE) --stack $(if $(NODES),--nodes $(NODES)) $(if $(CLUSTER),--cluster $(CLUSTER))

.PHONY: platform
platform: $(VENV)/infra/.ready $(VENV)/platform/.ready ## Make a cluster ready for stacks, and the cluster itself on a provider: make platform STACK=digitalocean
	@$(ENVIRONMENT); pulumi up --cwd infra/platform --stack $(or $(STACK),$(error platform needs STACK=name))

.PHONY: url
url: $(VENV)/infra/.ready ## Print the address of the running task manager, and nothing else
	@$(LOCAL) stack url $(STACK)

.PHONY: status
status: $(VENV)/infra/.ready ## Show the cluster's parts and the stack's pods
	@$(LOCAL) status
	@$(LOCAL) stack status $(STACK)

.PHONY: down
down: $(VENV)/infra/.ready ## Take everything down: the stacks, the local cluster and all they left on this machine
	@$(LOCAL) down

.PHONY: shell
shell: $(VENV)/infra/.ready ## Open a shell in which pulumi, kubectl and helm reach the cluster
	@$(ENVIRONMENT); exec $${SHELL:-bash} -i

.PHONY: dev
dev: $(VENV)/app/.ready ## Serve the API and the front end on SQLite, with no cluster: make dev [PORT=8000]
	@APP_ENVIRONMENT=development $(if $(PORT),APP_PORT=$(PORT)) $(APP)/python -m app serve

# --- checks

.PHONY: test
test: $(VENV)/app/.ready $(VENV)/infra/.ready $(VENV)/platform/.ready ## Run the tests that need no cluster (real PostgreSQL, Valkey, Chromium)
	@$(LOCAL) prepare-tests
	@$(APP)/pytest -q -n auto --timeout 300 tests/unit tests/integration tests/fuzz/test_generated_requests.py
	@$(INFRA)/pytest -q -n auto --timeout 300 tests/infra tests/contract tests/local tests/plugins --ignore tests/plugins/live
	@$(PLATFORM)/pytest -q -n auto --timeout 300 tests/platform --ignore tests/platform/live

.PHONY: e2e
e2e: $(VENV)/app/.ready $(VENV)/infra/.ready $(VENV)/platform/.ready ## Run the end-to-end tests on the local cluster: make e2e [PHASE="1 2"] [ONLY="test_growth or test_edge"]
	@$(LOCAL) prepare-tests
	@$(LOCAL) tools vegeta >/dev/null
	@trap 'exit 130' INT; summary=; for phase in $(PHASE); do \
	  if ! $(MAKE) up PHASE=$$phase; then outcome="failed: it did not come up"; \
	  elif ! $(APP)/pytest -v --durations 8 --durations-min 20 tests/e2e --phase $$phase $(if $(ONLY),-k "$(ONLY)"); then outcome="failed"; else outcome="passed"; fi; \
	  summary+="phase $$phase: $$outcome"$$'\n'; done; \
	if [ -n "$(ONLY)" ]; then summary+="plugins: not tested"; \
	elif $(INFRA)/pytest -q tests/plugins/live && $(PLATFORM)/pytest -q -n auto tests/platform/live; then summary+="plugins: passed"; else summary+="plugins: failed"; fi; \
	echo "$$summary"; [[ $$summary != *failed* ]]

.PHONY: e2e-platform
e2e-platform: $(VENV)/app/.ready $(VENV)/infra/.ready ## Install the platform's stack on a bare local cluster, and phases 2 and 3 on it
	@$(LOCAL) prepare-tests
	@$(APP)/pytest -v tests/e2e/test_platform.py --bare

.PHONY: e2e-mesh
e2e-mesh: $(VENV)/app/.ready $(VENV)/infra/.ready ## Try Istio on the local cluster: sidecars, mutual TLS, and all that its gateway does
	@$(APP)/pytest -v tests/e2e/test_mesh.py --phase 4

.PHONY: e2e-logs
e2e-logs: $(VENV)/app/.ready $(VENV)/infra/.ready ## Ship the logs of a stack to Elasticsearch on the local cluster, and search them: make e2e-logs [PHASE=3]
	@$(APP)/pytest -v tests/e2e/test_logs.py --phase $(or $(PHASE),3)

.PHONY: rehearsal
rehearsal: $(VENV)/app/.ready $(VENV)/infra/.ready ## Rehearse the pipeline on the local cluster: a commit to production under load, and a bad release that is stopped
	@$(LOCAL) prepare-tests
	@$(LOCAL) tools vegeta >/dev/null
	@$(APP)/pytest -v tests/e2e/test_rehearsal.py --phase 2

.PHONY: e2e-secrets
e2e-secrets: $(VENV)/app/.ready $(VENV)/infra/.ready ## Bring the Secrets of phase 2 from OpenBao on the local cluster: changed under load, missing, away
	@$(LOCAL) prepare-tests
	@$(LOCAL) tools vegeta >/dev/null
	@$(APP)/pytest -v tests/e2e/test_secret_store.py --phase 2

.PHONY: measured
measured: $(VENV)/app/.ready ## Write docs/measured from what the end-to-end tests of phases 2 to 4 have left
	@$(APP)/python -m tests.e2e.report

# The simulated cluster has a place of its own, so that it can run beside the local one.
.PHONY: scale
scale: $(VENV)/infra/.ready ## Run phase 3 on 100 simulated nodes: spread, disruption budgets, autoscaling, a lost zone
	@$(LOCAL) prepare-scale
	@XDG_STATE_HOME="$(CURDIR)/.cache/scale" $(INFRA)/pytest -v tests/scale

.PHONY: policies
policies: $(VENV)/infra/.ready ## Try on the cluster that is up whether its network enforces the policies: make policies [NAMESPACE=task-manager-phase2]
	@$(ENVIRONMENT); $(if $(NAMESPACE),NAMESPACE=$(NAMESPACE)) $(INFRA)/pytest -v tests/policies

.PHONY: faults
faults: $(VENV)/app/.ready $(VENV)/infra/.ready ## Kill workers and consumers and take servers away while they work: make faults [FAULTS_JOBS=10000] [FAULTS_EVENTS=10000]
	@$(LOCAL) prepare-tests
	@FAULTS_JOBS=$(or $(FAULTS_JOBS),10000) FAULTS_EVENTS=$(or $(FAULTS_EVENTS),10000) FAULTS_KILLS=$(or $(FAULTS_KILLS),20) \
	  $(APP)/pytest -q -s tests/faults tests/integration/core/events/test_services_over_rabbitmq.py::test_each_effect_happens_once_when_the_consumer_is_killed_repeatedly

.PHONY: fuzz
fuzz: $(VENV)/app/.ready $(VENV)/infra/.ready ## Send generated requests, right ones and wrong ones: make fuzz [FUZZ_REQUESTS=20000]
	@$(LOCAL) prepare-tests
	@FUZZ_REQUESTS=$(or $(FUZZ_REQUESTS),20000) $(APP)/pytest -q -s tests/fuzz

.PHONY: mutants
mutants: $(VENV)/app/.ready $(VENV)/infra/.ready $(VENV)/mutants/.ready ## Change single expressions, and see whether tests notice: make mutants [MUTANTS=200] [MINUTES=60] [OF="infra/components"]
	@$(LOCAL) prepare-tests
	@nice -n 5 $(VENV)/mutants/bin/python -m tests.mutants $(OF) --at-most $(or $(MUTANTS),200) --minutes $(or $(MINUTES),60)

.PHONY: bench
bench: $(VENV)/infra/.ready $(VENV)/bench/.ready ## Measure beside what it is compared with: make bench [BENCH="--quick --json"]
	@$(LOCAL) prepare-bench
	@$(VENV)/bench/bin/python -m bench $(BENCH)

.PHONY: bench-gateway
bench-gateway: $(VENV)/infra/.ready $(VENV)/bench/.ready ## Measure our list through the gateway of phase 4, which is up, and the processor time of each part
	@$(LOCAL) prepare-bench
	@$(ENVIRONMENT); $(VENV)/bench/bin/python -m bench.gateway $$($(MAKE) --silent url PHASE=4)

.PHONY: lint
lint: $(VENV)/app/.ready $(VENV)/infra/.ready $(VENV)/platform/.ready $(VENV)/checks/.ready $(VENV)/mutants/.ready ## Check style, types, workflows, Dockerfile and manifests
	@$(CHECKS)/ruff check .
	@$(CHECKS)/ruff format --check .
	@$(APP)/mypy app tests/unit tests/integration tests/faults tests/fuzz tests/e2e
	@$(INFRA)/mypy infra local monitoring tests/infra tests/contract tests/local tests/plugins tests/scale tests/scans tests/charts tests/policies --exclude '^infra/(platform|policy/pack)/'
	@$(PLATFORM)/mypy infra/platform tests/platform
	@$(VENV)/mutants/bin/mypy tests/mutants
	@$(CHECKS)/hadolint Dockerfile
	@$(CHECKS)/zizmor --offline --quiet .github
	@$(LOCAL) tools actionlint kube-score >/dev/null
	@$(ENVIRONMENT); actionlint
	@$(MAKE) scan-manifests
	@$(ENVIRONMENT); out="$$(kube-score score --kubernetes-version v1.34 --exit-one-on-warning .cache/rendered/*.yaml)" || { echo "$$out"; exit 1; }

# --- security; with SARIF=file what is found is written there too, for GitHub's Security tab

COMMA := ,

.PHONY: scan-manifests
scan-manifests: $(VENV)/infra/.ready $(VENV)/checks/.ready ## Hold the chart's manifests, the Dockerfile and the workflows against checkov's rules: make scan-manifests [SARIF=file]
	@$(INFRA)/python -m tests.contract.chart .cache/rendered
	@$(CHECKS)/checkov --config-file .github/checkov.yaml --framework dockerfile github_actions --file Dockerfile .github/workflows/*.yml
	@$(CHECKS)/checkov --config-file .github/checkov.yaml --framework kubernetes --directory .cache/rendered $(if $(SARIF),--output cli --output sarif --output-file-path "console$(COMMA)$(SARIF)")

.PHONY: scan-secrets
scan-secrets: $(VENV)/infra/.ready ## Look for credentials in every commit and in the files that are not committed yet: make scan-secrets [SARIF=file]
	@$(LOCAL) tools gitleaks >/dev/null
	@$(ENVIRONMENT); gitleaks git --config .github/gitleaks.toml --redact --verbose --no-banner --log-level warn $(if $(SARIF),--report-format sarif --report-path $(SARIF)) .
	@$(ENVIRONMENT); gitleaks dir --config .github/gitleaks.toml --redact --verbose --no-banner --log-level warn .

LOCKED = $(patsubst %,--lockfile requirements.txt:%,$(wildcard requirements/*.txt)) $(patsubst %,--lockfile %,$(wildcard local/tools/*/go.mod))
OSV_FLAGS = --config .github/osv-scanner.toml $(if $(OSV_DATABASE),--offline) $(if $(SARIF),--format sarif --output-file $(SARIF))
export OSV_SCANNER_LOCAL_DB_CACHE_DIRECTORY = $(OSV_DATABASE)

.PHONY: audit
audit: $(VENV)/infra/.ready ## Hold every locked dependency against the OSV database: make audit [SARIF=file] [OSV_DATABASE=folder]
	@$(LOCAL) tools osv-scanner >/dev/null
	@$(ENVIRONMENT); osv-scanner scan source --no-resolve $(OSV_FLAGS) $(LOCKED)

.PHONY: scan-image
scan-image: $(VENV)/infra/.ready ## Hold the packages of the image that the Dockerfile makes against the OSV database: make scan-image [SARIF=file]
	@$(LOCAL) tools osv-scanner >/dev/null
	@archive="$$(mktemp -d)/image.tar"; trap 'rm -rf "$$(dirname "$$archive")"' EXIT; \
	buildah build --quiet $(if $(BASE_IMAGE),--build-arg BASE_IMAGE="$(BASE_IMAGE)") --tag task-manager-scan . >&2; \
	buildah push --quiet task-manager-scan "docker-archive:$$archive:task-manager:scan" >&2; \
	$(ENVIRONMENT); osv-scanner scan image $(OSV_FLAGS) --archive "$$archive"

.PHONY: test-scans
test-scans: $(VENV)/infra/.ready ## Try the scans: each finds what it is for, and nothing where there is nothing
	@$(INFRA)/pytest -v tests/scans

SNYK_VERSION = 1.1307.4

.PHONY: snyk
snyk: ## Hold the API's locked dependencies against Snyk's database, with SNYK_TOKEN
	@: $${SNYK_TOKEN:?snyk needs SNYK_TOKEN, of an account there}
	@npx --yes snyk@$(SNYK_VERSION) test --file=requirements/app.txt --package-manager=pip --skip-unresolved

.PHONY: contracts
contracts: $(VENV)/app/.ready ## Write app/*/contracts, and report incompatible changes since BASE: make contracts [BASE=main]
	@$(APP)/python -m app contracts write
	@$(APP)/python -m app contracts compare $(or $(BASE),main)

.PHONY: dashboards
dashboards: $(VENV)/infra/.ready ## Write the Grafana dashboards that monitoring/dashboards describes
	@$(INFRA)/python -m monitoring.dashboards

.PHONY: cost-page
cost-page: $(VENV)/infra/.ready ## Write docs/cost.md and its chart from the phase table and the price list
	@$(INFRA)/python -m infra.cost document

.PHONY: architecture
architecture: $(VENV)/infra/.ready ## Draw docs/architecture.md from the network policies of each phase
	@$(INFRA)/python -m tests.infra.architecture

.PHONY: policy-page
policy-page: $(VENV)/infra/.ready ## Write docs/policies.md from the rules
	@$(INFRA)/python -m infra.policy document

.PHONY: policy-pack
policy-pack: $(VENV)/policy-pack/.ready ## Make the environment that `pulumi up --policy-pack infra/policy/pack` runs in

.PHONY: settings
settings: $(VENV)/infra/.ready ## Write the configuration of both Pulumi.yaml, docs/settings.md and docs/platform-settings.md from their models
	@$(INFRA)/python -m infra.config.project_file
	@$(INFRA)/python -m infra.platform.project_file

.PHONY: snapshots
snapshots: $(VENV)/infra/.ready ## Write what each phase and variant registers to tests/infra/snapshots
	@$(INFRA)/python -m tests.infra.snapshot

# --- the pipeline; STACK names the environment's stack

# In a pipeline the cluster's credentials are a variable, for which a file lives as long as the command, or at their standard
# place, where a cloud's log-in writes them; on a machine with a local cluster they are its own.
WITH_CLUSTER = if [ -n "$${KUBECONFIG_BASE64:-}" ]; then \
  KUBECONFIG="$$(mktemp)"; export KUBECONFIG; trap 'rm -f "$$KUBECONFIG"' EXIT; base64 -d <<< "$$KUBECONFIG_BASE64" > "$$KUBECONFIG"; \
  elif [ -z "$${KUBECONFIG:-}" ] && [ -f ~/.kube/config ] && ! [ -f "$$($(LOCAL) kubeconfig)" ]; then export KUBECONFIG=~/.kube/config; fi; \
  $(ENVIRONMENT); if [ -n "$${IMAGE:-}" ]; then export TASK_MANAGER_IMAGE="$$IMAGE"; fi

# What the stack would be, against infra/policy. Secrets are shown to it alone, since a chart is rendered with all its values.
POLICIES = pulumi preview --json --show-secrets --stack $(STACK) --non-interactive | $(INFRA)/python -m infra.policy check $(STACK)

VERSION = $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)

# One manifest list, of this machine's architecture unless PLATFORMS names others; building for those needs QEMU's binfmt
# handlers. Version and revision are given as arguments and once more as labels and a variable: with a layer cache, buildah 1.28
# takes a former build's value of an argument. BASE_IMAGE replaces the Dockerfile's; INSECURE=1 is for a registry without TLS. buildah 1.28 ends with 0 when
# it could not push a list, and only its digest is missing then.
.PHONY: publish
publish: ## Build the image, push it to REPOSITORY and print its reference by digest: make publish REPOSITORY=… [PLATFORMS=linux/amd64,linux/arm64] [TAG=…]
	@: $${REPOSITORY:?publish needs REPOSITORY=registry/name}
	@revision="$$(git rev-parse HEAD)"; list="task-manager-$$$$"; digest="$$(mktemp)"; \
	trap 'rm -f "$$digest"; buildah manifest rm "$$list" >/dev/null 2>&1 || true' EXIT; \
	buildah build --quiet --manifest "$$list" $(if $(PLATFORMS),--platform "$(PLATFORMS)") $(if $(BASE_IMAGE),--build-arg BASE_IMAGE="$(BASE_IMAGE)") \
	  --build-arg VERSION="$(VERSION)" --build-arg REVISION="$$revision" \
	  --label org.opencontainers.image.version="$(VERSION)" --label org.opencontainers.image.revision="$$revision" --env APP_REVISION="$$revision" . >&2; \
	buildah manifest push --quiet --all $(if $(INSECURE),--tls-verify=false) --digestfile "$$digest" "$$list" "docker://$(REPOSITORY):$(or $(TAG),$${revision:0:12})" >&2; \
	[ -s "$$digest" ] || { echo "publish: $(REPOSITORY) took no image: is it an address of a registry, by TLS, that you have logged in to?" >&2; exit 1; }; \
	echo "$(REPOSITORY)@$$(cat "$$digest")"

.PHONY: sbom
sbom: $(VENV)/infra/.ready ## Print the SBOM of an image in its registry: make sbom IMAGE=…@sha256:…
	@$(LOCAL) pipeline sbom "$${IMAGE:?sbom needs IMAGE=registry/name@sha256:…}"

.PHONY: sign
sign: $(VENV)/infra/.ready ## Sign an image with its SBOM and provenance, by a workflow's identity or COSIGN_KEY: make sign IMAGE=…@sha256:…
	@$(LOCAL) pipeline sign "$${IMAGE:?sign needs IMAGE=registry/name@sha256:…}"

.PHONY: verify
verify: $(VENV)/infra/.ready ## Check who signed an image, by COSIGN_IDENTITY or COSIGN_PUBLIC_KEY: make verify IMAGE=…@sha256:…
	@$(LOCAL) pipeline verify "$${IMAGE:?verify needs IMAGE=registry/name@sha256:…}"

.PHONY: promote
promote: ## Print IMAGE, which another environment has run, if it is named by digest: make promote IMAGE=…@sha256:…
	@[[ "$${IMAGE:-}" =~ ^[^[:space:]]+@sha256:[0-9a-f]{64}$$ ]] || { echo "promote: IMAGE='$${IMAGE:-}' names no image by digest: give what staging has run, as registry/name@sha256:…" >&2; exit 1; }
	@echo "$$IMAGE"

.PHONY: cost
cost: $(VENV)/infra/.ready ## Print what each phase costs a month, or one stack: make cost [STACK=prod] [JSON=1]
	@$(INFRA)/python -m infra.cost $(if $(STACK),stack $(STACK),phases) $(if $(JSON),--json)

.PHONY: preview
preview: $(VENV)/infra/.ready ## Show what `pulumi up` would change, and what it costs: make preview STACK=prod [IMAGE=…@sha256:…]
	@$(WITH_CLUSTER); $(LOCAL) stack check $(STACK); pulumi preview --stack $(or $(STACK),$(error preview needs STACK=name)) --diff --non-interactive; $(POLICIES)
	@$(INFRA)/python -m infra.cost check $(STACK)

.PHONY: deploy
deploy: $(VENV)/infra/.ready ## Bring a stack to what the program says: make deploy STACK=prod [IMAGE=…@sha256:…]
	@$(INFRA)/python -m infra.cost check $(or $(STACK),$(error deploy needs STACK=name))
	@$(WITH_CLUSTER); $(LOCAL) stack prepare $(STACK); $(POLICIES); pulumi up --yes --skip-preview --stack $(or $(STACK),$(error deploy needs STACK=name)) --non-interactive

.PHONY: release
release: $(VENV)/infra/.ready ## Bring a stack to an image and test it; where that fails, back to the former one: make release STACK=prod IMAGE=…@sha256:…
	@$(INFRA)/python -m infra.cost check $(or $(STACK),$(error release needs STACK=name))
	@: $${IMAGE:?release needs IMAGE=registry/name@sha256:…}
	@$(WITH_CLUSTER); $(LOCAL) stack prepare $(STACK); $(POLICIES); $(LOCAL) pipeline release $(STACK) "$$IMAGE"

.PHONY: secrets
secrets: $(VENV)/infra/.ready ## Show which entries Vault or AWS has to have for a stack: make secrets STACK=prod [JSON=1]
	@$(LOCAL) stack secrets $(or $(STACK),$(error secrets needs STACK=name)) $(if $(JSON),--json)

.PHONY: diff
diff: $(VENV)/infra/.ready ## Show which settings of two stacks differ, and their images: make diff FROM=staging TO=prod [JSON=1]
	@$(LOCAL) stack diff $(or $(FROM),$(error diff needs FROM=name)) $(or $(TO),$(error diff needs TO=name)) $(if $(JSON),--json)

.PHONY: preview-report
preview-report: $(VENV)/infra/.ready ## Preview a stack and what it costs before and after, for a pull request: make preview-report STACK=prod [BASE=main]
	@$(WITH_CLUSTER); $(LOCAL) pipeline preview-report $(or $(STACK),$(error preview-report needs STACK=name)) "$(or $(BASE),main)"

.PHONY: preview-comment
preview-comment: $(VENV)/infra/.ready ## Write the reports of all stacks as one comment: make preview-comment PULL_REQUEST=1 (GITHUB_REPOSITORY, GITHUB_TOKEN)
	@$(LOCAL) pipeline preview-comment "$${PULL_REQUEST:?preview-comment needs PULL_REQUEST=number}"

.PHONY: drift
drift: $(VENV)/infra/.ready ## Show what was changed by hand, and write nothing: make drift STACK=prod [ISSUE=1]
	@$(WITH_CLUSTER); $(LOCAL) pipeline drift $(or $(STACK),$(error drift needs STACK=name)) $(if $(ISSUE),--issue)

.PHONY: refresh
refresh: $(VENV)/infra/.ready ## Compare the state with the cluster, and show what was changed by hand: make refresh STACK=prod
	@$(WITH_CLUSTER); $(LOCAL) stack check $(or $(STACK),$(error refresh needs STACK=name)); pulumi refresh --yes --stack $(STACK) --non-interactive

.PHONY: smoke
smoke: $(VENV)/infra/.ready ## Ask the stack whether it is ready and its certificate lasts: make smoke STACK=prod
	@$(WITH_CLUSTER); $(LOCAL) stack smoke $(STACK)

.PHONY: recover
recover: $(VENV)/infra/.ready ## End what an interrupted update has left, so that the next can go on: make recover STACK=prod [CANCEL=1]
	@$(WITH_CLUSTER); $(LOCAL) stack recover $(or $(STACK),$(error recover needs STACK=name)) $(if $(CANCEL),--cancel)

.PHONY: restore
restore: $(VENV)/infra/.ready ## Bring the database back to a moment: make restore STACK=prod AT="2030-01-02 03:04:05+00" [FROM=1]
	@$(WITH_CLUSTER); $(LOCAL) stack restore $(or $(STACK),$(error restore needs STACK=name)) \
	  "$(or $(AT),$(error restore needs AT="2030-01-02 03:04:05+00"))" $(if $(FROM),--from $(FROM))

# requirements/binaries.txt holds programs rather than libraries (kubectl, helm, Envoy, Traefik, Valkey) and is kept by hand,
# and so are the jars of requirements/elasticsearch.jars.
.PHONY: lock
lock: ## Lock the dependencies of pyproject.toml again, with hashes: make lock [UPGRADE=1]
	@$(PYTHON) -m venv --clear $(VENV)/lock && $(VENV)/lock/bin/pip install --quiet uv
	@for group in app app-test infra infra-test platform platform-test policy-pack checks mutants bench; do \
	  base=$${group%-test}; if [ $$group = bench ]; then base=app-test; elif [ $$group = platform ]; then base=infra; fi; \
	  $(VENV)/lock/bin/uv pip compile --quiet pyproject.toml --group $$group --universal --python-version 3.11 \
	    $(if $(UPGRADE),--upgrade) --generate-hashes --no-header --no-annotate --output-file requirements/$$group.txt \
	    $$([ $$base = $$group ] || echo --constraint requirements/$$base.txt); \
	done
