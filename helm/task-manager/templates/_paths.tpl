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
{{- $resources := dict
  "auth" (list "auth" "users" "admin")
  "notifications" (list "notifications")
  "analytics" (list "statistics" "reports")
}}
{{- range get $resources .Values.apiService | default list }}
- {type: PathPrefix, value: /api/v1/{{ . }}}
{{- end }}
{{- end }}
