{{/* Sidecars of Istio: of the pods that call a service or are called, by their label; the namespace's others have none. */}}

{{- define "task-manager.meshLabels" -}}
{{- if .Values.mesh.enabled -}}
sidecar.istio.io/inject: "true"
{{- end }}
{{- end }}

{{- define "task-manager.meshAnnotations" -}}
{{- if .Values.mesh.enabled -}}
# An init container that lasts: it starts before the server, stops after it, and keeps no Job from ending.
sidecar.istio.io/nativeSidecar: "true"
# Of what the pod calls, services of the API alone: databases, caches and brokers have TLS and passwords of their own.
traffic.sidecar.istio.io/includeOutboundIPRanges: ""
traffic.sidecar.istio.io/includeOutboundPorts: {{ .Values.service.port | quote }}
# Prometheus is not in the mesh: it scrapes the server where it always did, and the proxy at a port of its own.
traffic.sidecar.istio.io/excludeInboundPorts: "9464"
prometheus.istio.io/merge-metrics: "false"
sidecar.istio.io/proxyCPU: {{ .Values.mesh.resources.requests.cpu | quote }}
sidecar.istio.io/proxyCPULimit: {{ .Values.mesh.resources.limits.cpu | quote }}
sidecar.istio.io/proxyMemory: {{ .Values.mesh.resources.requests.memory | quote }}
sidecar.istio.io/proxyMemoryLimit: {{ .Values.mesh.resources.limits.memory | quote }}
{{- end }}
{{- end }}
