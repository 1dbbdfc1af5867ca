{{/* Paths of the API that the release answers, as path matchers of the Gateway API. Of several routes the one with the longest
     matching path takes a request, so the service of the front end has the rest of /api, and says there what does not exist. */}}
{{- define "task-manager.paths" -}}
{{- if has .Values.apiService (list "all" "tasks") }}
- {type: Exact, value: /}
- {type: PathPrefix, value: /api}
- {type: PathPrefix, value: /health}
- {type: PathPrefix, value: /static}
- {type: Exact, value: /favicon.ico}
{{- end }}
{{- if has .Values.apiService (list "all" "auth") }}
- {type: Exact, value: /.well-known/jwks.json}
{{- end }}
{{- /* Of a copy of a user's data each service has a part, below the request for it, which is of auth. */}}
{{- $resources := dict
  "auth" (list "auth" "users" "admin")
  "tasks" (list "users/me/export/tasks")
  "notifications" (list "notifications" "users/me/export/notifications")
  "analytics" (list "statistics" "reports" "users/me/export/analytics")
}}
{{- range get $resources .Values.apiService | default list }}
- {type: PathPrefix, value: /api/v1/{{ . }}}
{{- end }}
{{- end }}

{{/* A file's address names the service that keeps it: avatars. All others are of tasks. */}}
{{- define "task-manager.filesOfAuth" -}}
{{- if eq .Values.apiService "auth" }}
- path: {type: PathPrefix, value: /api/v1/files}
  queryParams:
    - {name: service, value: auth}
{{- end }}
{{- end }}

{{/* Requests with files, and for files, by the name of their rule: they take longer than others, and a gateway that holds
     bodies lets those of `uploads` through. */}}
{{- define "task-manager.files" -}}
{{- $multipart := "headers: [{type: RegularExpression, name: content-type, value: multipart/form-data.*}]" }}
{{- if has .Values.apiService (list "all" "auth" "tasks") }}
uploads:
  {{- if has .Values.apiService (list "all" "auth") }}
  - path: {type: Exact, value: /api/v1/users/me/avatar}
    method: PUT
    {{ $multipart }}
  {{- end }}
  {{- if has .Values.apiService (list "all" "tasks") }}
  # Attachments have a task's name in their path, so a body's type tells uploads from others.
  - path: {type: PathPrefix, value: /api/v1/tasks}
    method: POST
    {{ $multipart }}
  {{- end }}
{{- end }}
downloads:
  {{- if ne .Values.apiService "all" }}
  - path: {type: PathPrefix, value: /api/v1/users/me/export/{{ .Values.apiService }}}
    method: GET
  {{- end }}
  {{- if has .Values.apiService (list "all" "auth") }}
  - path: {type: Exact, value: /api/v1/admin/audit/export}
    method: GET
  {{- end }}
  {{- if eq .Values.apiService "auth" }}
  - path: {type: PathPrefix, value: /api/v1/files}
    method: GET
    queryParams:
      - {name: service, value: auth}
  {{- end }}
  {{- if has .Values.apiService (list "all" "tasks") }}
  - path: {type: PathPrefix, value: /api/v1/files}
    method: GET
  - path: {type: PathPrefix, value: /api/v1/jobs}
    method: GET
  {{- end }}
  {{- if has .Values.apiService (list "all" "analytics") }}
  - path: {type: PathPrefix, value: /api/v1/reports}
    method: GET
  {{- end }}
{{- end }}

{{/* Who answers: the release's Service, or what `route.backend` names. */}}
{{- define "task-manager.backend" -}}
{{- with .Values.route.backend -}}
- group: {{ .group }}
  kind: {{ .kind }}
  name: {{ .name }}
  {{- with .port }}
  port: {{ . }}
  {{- end }}
{{- else -}}
- group: ""
  kind: Service
  name: {{ .Release.Name }}
  port: {{ .Values.service.port }}
{{- end }}
  weight: 1
{{- end }}
