{{/* What the server, the migration and the test share, so that none of them runs with other rights or settings. */}}

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

{{- define "task-manager.container" -}}
image: {{ include "task-manager.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  capabilities:
    drop: [ALL]
resources:
  {{- toYaml .Values.resources | nindent 2 }}
{{- end }}

{{/* Settings of the API, the same for the server and its migrations. */}}
{{- define "task-manager.env" -}}
- name: APP_PORT
  value: "8000"
- name: APP_GRACEFUL_TIMEOUT
  value: {{ .Values.drain.gracefulTimeoutSeconds | quote }}
{{- range $name, $value := .Values.env }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- range .Values.envFromSecrets }}
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
{{- end }}

{{/* A volume that one node can mount must not hold up a rollout: the new pod and the migration go where the volume is.
     The rule matches the pods that state it, so the first of them may go anywhere. */}}
{{- define "task-manager.affinity" -}}
{{- if .Values.persistence.enabled -}}
affinity:
  podAffinity:
    requiredDuringSchedulingIgnoredDuringExecution:
      - topologyKey: kubernetes.io/hostname
        labelSelector:
          matchLabels:
            app.kubernetes.io/name: {{ .Chart.Name }}
            app.kubernetes.io/instance: {{ .Release.Name }}
          matchExpressions:
            - key: app.kubernetes.io/component
              operator: In
              values: [api, migrations]
{{- end }}
{{- end }}
