{{/* What the pods of the release share, so that none of them runs with other rights or settings. */}}

{{/* Pod fields that the `restricted` Pod Security Standard asks for, and no token: nothing here talks to Kubernetes. */}}
{{- define "task-manager.pod" -}}
automountServiceAccountToken: false
{{- /* Service addresses come from DNS; the variables of every Service in the namespace would only get in the way. */}}
enableServiceLinks: false
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  {{- /* Changing the owner of every file at each start would slow the start down as the volume grows. */}}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- end }}

{{/* Annotations of the pods that serve metrics. */}}
{{- define "task-manager.scraped" -}}
{{- if .Values.metrics.scrape -}}
prometheus.io/scrape: "true"
prometheus.io/port: "9464"
prometheus.io/path: /metrics
{{- end }}
{{- end }}

{{/* Argument: (dict "root" $ "resources" .Values.resources) */}}
{{- define "task-manager.container" -}}
image: {{ include "task-manager.image" .root }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  capabilities:
    drop: [ALL]
resources:
  {{- toYaml .resources | nindent 2 }}
{{- end }}

{{/* Of a Job that runs a command of the application. Argument: the name of its container. */}}
{{- define "task-manager.podFailurePolicy" -}}
podFailurePolicy:
  rules:
    # Exit code 2 is a bad setting, which stays bad however often it is tried.
    - action: FailJob
      onExitCodes:
        containerName: {{ . }}
        operator: In
        values: [2]
    - action: Ignore
      onPodConditions:
        - type: DisruptionTarget
          status: "True"
{{- end }}

{{/* Settings of the application, the same for whatever runs it but for the time that it has to end.
     Argument: (dict "root" $ "gracefulTimeoutSeconds" 20) */}}
{{- define "task-manager.env" -}}
- name: APP_PORT
  value: "8000"
- name: APP_METRICS_PORT
  value: "9464"
- name: APP_GRACEFUL_TIMEOUT
  value: {{ .gracefulTimeoutSeconds | quote }}
{{- if not .root.Values.env.APP_DEPLOYMENT }}
- name: APP_DEPLOYMENT
  value: {{ .root.Release.Namespace }}
{{- end }}
{{- if .root.Values.jobs.enabled }}
- name: APP_JOBS
  value: celery
{{- end }}
{{- if include "task-manager.inheriting" .root }}
- name: APP_DATABASE_INHERITS
  value: "true"
{{- end }}
{{- range $name, $value := .root.Values.env }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- range .root.Values.envFromSecrets }}
- name: {{ .name }}
  valueFrom:
    secretKeyRef:
      name: {{ .secret }}
      key: {{ .key }}
      {{- if .optional }}
      optional: true
      {{- end }}
{{- end }}
{{- end }}

{{- define "task-manager.volumeMounts" -}}
- name: tmp
  mountPath: /tmp
{{- if .Values.persistence.enabled }}
- name: data
  mountPath: {{ .Values.persistence.mountPath }}
{{- end }}
{{- with .Values.certificateAuthority }}
{{- if .secret }}
- name: certificate-authority
  mountPath: {{ .mountPath }}
  readOnly: true
{{- end }}
{{- end }}
{{- end }}

{{- define "task-manager.volumes" -}}
- name: tmp
  emptyDir:
    sizeLimit: {{ .Values.tmpSizeLimit }}
{{- if .Values.persistence.enabled }}
- name: data
  persistentVolumeClaim:
    claimName: {{ .Values.persistence.claimName }}
{{- end }}
{{- with .Values.certificateAuthority }}
{{- if .secret }}
- name: certificate-authority
  secret:
    secretName: {{ .secret }}
    items:
      - {key: {{ .key }}, path: {{ .key }}}
{{- end }}
{{- end }}
{{- end }}

{{/* A volume that one node can mount must not hold up a rollout: the new pod and the migration go where the volume is.
     The rule matches the pods that state it, so the first of them may go anywhere.
     Argument: (dict "root" $ "claim" "name"); nothing for an empty name. */}}
{{- define "task-manager.affinity" -}}
{{- if .claim -}}
affinity:
  podAffinity:
    requiredDuringSchedulingIgnoredDuringExecution:
      - topologyKey: kubernetes.io/hostname
        labelSelector:
          matchLabels:
            app.kubernetes.io/name: {{ .root.Chart.Name }}
            app.kubernetes.io/instance: {{ .root.Release.Name }}
            {{- include "task-manager.volumeLabel" .claim | nindent 12 }}
{{- end }}
{{- end }}

{{/* The claim that the pods mount; nothing if they mount none. */}}
{{- define "task-manager.claim" -}}
{{- if .Values.persistence.enabled -}}
{{ .Values.persistence.claimName }}
{{- end }}
{{- end }}

{{/* By template hash: the old pods of a rollout are about to go, so they must not decide where the new ones land.
     Argument: as for the labels. */}}
{{- define "task-manager.spread" -}}
{{- if .root.Values.topologySpread.enabled -}}
topologySpreadConstraints:
  {{- range $key := list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - topologyKey: {{ $key }}
    maxSkew: 1
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "task-manager.selectorLabels" $ | nindent 8 }}
    matchLabelKeys: [pod-template-hash]
  {{- end }}
{{- end }}
{{- end }}

{{/* Probes of a process that listens nowhere: it touches a file as long as it does its work. A file of another age says
     what no exit code does, such as a worker that takes no messages any more. Alive is judged patiently: a consumer whose
     connections were lost comes back by itself within a minute, and a restart helps one that does not.
     Argument: (dict "root" $ "file" "/tmp/worker.alive") */}}
{{- define "task-manager.heartbeat" -}}
startupProbe:
  exec:
    command: [test, -e, {{ .file }}]
  periodSeconds: 1
  failureThreshold: {{ .root.Values.rollout.startupSeconds }}
readinessProbe:
  exec:
    command: [sh, -c, test "$(find {{ .file }} -mmin -1)"]
  periodSeconds: 15
  timeoutSeconds: 5
  failureThreshold: 2
livenessProbe:
  exec:
    command: [sh, -c, test "$(find {{ .file }} -mmin -5)"]
  periodSeconds: 60
  timeoutSeconds: 5
  failureThreshold: 3
{{- end }}
