{{/* Rules between values, which a schema cannot state. Each ends in one sentence that says what to change. */}}
{{- define "task-manager.validate" -}}
{{- with .Values.drain }}
{{- $needed := add .sleepSeconds .gracefulTimeoutSeconds | int }}
{{- if ge $needed (int .terminationGracePeriodSeconds) }}
{{- fail (printf "drain: sleepSeconds %d + gracefulTimeoutSeconds %d = %d must be less than terminationGracePeriodSeconds %d, or a stopping pod is killed before its requests end: raise terminationGracePeriodSeconds above %d" (int .sleepSeconds) (int .gracefulTimeoutSeconds) $needed (int .terminationGracePeriodSeconds) $needed) }}
{{- end }}
{{- end }}
{{- with .Values.jobs.worker.drain }}
{{- $needed := add .softShutdownSeconds 10 | int }}
{{- if ge $needed (int .terminationGracePeriodSeconds) }}
{{- fail (printf "jobs.worker.drain: softShutdownSeconds %d and 10 s to hand back what has not ended = %d must be less than terminationGracePeriodSeconds %d, or a stopping worker is killed and its jobs wait for the visibility time-out: raise terminationGracePeriodSeconds above %d" (int .softShutdownSeconds) $needed (int .terminationGracePeriodSeconds) $needed) }}
{{- end }}
{{- end }}
{{- with .Values.rollout }}
{{- if ge (int .startupSeconds) (int .progressDeadlineSeconds) }}
{{- fail (printf "rollout: startupSeconds %d must be less than progressDeadlineSeconds %d, or a rollout is called failed while a pod may still start: raise progressDeadlineSeconds above %d" (int .startupSeconds) (int .progressDeadlineSeconds) (int .startupSeconds)) }}
{{- end }}
{{- end }}
{{- if and .Values.jobs.enabled .Values.persistence.enabled }}
{{- fail "jobs: workers cannot share one volume with the server: set jobs.enabled to false, or use PostgreSQL and set persistence.enabled to false" }}
{{- end }}
{{- range $path, $scale := dict "autoscaling" .Values.autoscaling "jobs.worker.autoscaling" .Values.jobs.worker.autoscaling }}
{{- if gt (int $scale.minReplicas) (int $scale.maxReplicas) }}
{{- fail (printf "%s: minReplicas %d is more than maxReplicas %d: raise maxReplicas" $path (int $scale.minReplicas) (int $scale.maxReplicas)) }}
{{- end }}
{{- end }}
{{- if and .Values.persistence.enabled (not .Values.persistence.claimName) }}
{{- fail "persistence: enabled without a claim: set persistence.claimName to an existing PersistentVolumeClaim" }}
{{- end }}
{{- if and .Values.carry.claimName .Values.persistence.enabled }}
{{- fail "carry: the data of a claim goes to a database, and this release keeps its own on a volume: set persistence.enabled to false, or carry.claimName to nothing" }}
{{- end }}
{{- if and .Values.move.enabled (or .Values.carry.claimName (eq .Values.apiService "all")) }}
{{- fail "move: the tables of one service leave a database of all: set apiService to that service, and carry.claimName to nothing" }}
{{- end }}
{{- if and .Values.route.enabled (not .Values.route.gateway.name) }}
{{- fail "route: enabled without a gateway: set route.gateway.name to an existing Gateway" }}
{{- end }}
{{- if and .Values.route.edge.name (not .Values.route.edge.paths) }}
{{- fail "route.edge: a cache without paths gets no request: name them in route.edge.paths, or set route.edge.name to \"\"" }}
{{- end }}
{{- if and .Values.persistence.enabled (gt (int .Values.autoscaling.maxReplicas) 1) }}
{{- fail (printf "persistence: one volume cannot serve maxReplicas %d: set autoscaling.maxReplicas to 1, or use PostgreSQL and set persistence.enabled to false" (int .Values.autoscaling.maxReplicas)) }}
{{- end }}
{{- if and .Values.service.nodePort (ne .Values.service.type "NodePort") }}
{{- fail (printf "service: nodePort %d has no effect with type %s: set service.type to NodePort" (int .Values.service.nodePort) .Values.service.type) }}
{{- end }}
{{- range $name, $value := .Values.env }}
{{- if has $name (list "APP_PORT" "APP_METRICS_PORT" "APP_GRACEFUL_TIMEOUT" "APP_JOBS" "APP_DATABASE_INHERITS") }}
{{- fail (printf "env: the chart computes %s: take it out of env (the graceful time-out is drain.gracefulTimeoutSeconds, and jobs.enabled says who does the jobs)" $name) }}
{{- end }}
{{- if or (regexMatch "_(KEY|PASSWORD|TOKEN|DSN|HEADERS)$|_SECRET_" $name) (regexMatch "://[^/@]*:[^/@]+@" $value) }}
{{- fail (printf "env: %s holds a secret, and values are kept in plain text: put it into a Secret and name that in envFromSecrets" $name) }}
{{- end }}
{{- end }}
{{- end }}
