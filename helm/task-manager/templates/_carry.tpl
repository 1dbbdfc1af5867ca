{{/* A phase that grows: the data of a SQLite file, left on a claim by the release before, goes to the new database. */}}

{{/* Says `true` while the claim is there: only the cluster knows. Preview and `helm template` do not ask it. */}}
{{- define "task-manager.carrying" -}}
{{- with .Values.carry -}}
{{- if .claimName -}}
{{- if or .assumeClaim (lookup "v1" "PersistentVolumeClaim" $.Release.Namespace .claimName) -}}
true
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* Says `true` while another database's data goes to this release's own. */}}
{{- define "task-manager.inheriting" -}}
{{- if or .Values.move.enabled (include "task-manager.carrying" .) -}}
true
{{- end }}
{{- end }}

{{/* Of the pods that take the data over. */}}
{{- define "task-manager.heirLabel" -}}
task-manager/heir: "true"
{{- end }}

{{/* Of the pods that mount a claim. Argument: its name. */}}
{{- define "task-manager.volumeLabel" -}}
task-manager/volume: {{ . }}
{{- end }}

{{/* The node port at which clients of the release before still are, while its claim is there. */}}
{{- define "task-manager.formerNodePort" -}}
{{- if and .Values.carry.nodePort (include "task-manager.carrying" .) -}}
{{ .Values.carry.nodePort }}
{{- end }}
{{- end }}
