"""A chart for the tests: a ConfigMap and a Secret, and on demand a Deployment and a hook."""

from pathlib import Path

_TEMPLATE = """
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}-settings}
data: {text: {{ .Values.text | quote }}}
---
apiVersion: v1
kind: Secret
metadata: {name: {{ .Release.Name }}-keys}
stringData: {password: {{ .Values.password | quote }}}
{{- if .Values.image }}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}}
spec:
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  template:
    metadata: {labels: {app: {{ .Release.Name }}}}
    spec: {containers: [{name: api, image: {{ .Values.image | quote }}}]}
{{- end }}
{{- if .Values.hook }}
---
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .Release.Name }}-migrations
  annotations: {"helm.sh/hook": "pre-install,pre-upgrade", "helm.sh/hook-delete-policy": before-hook-creation}
spec:
  backoffLimit: 0
  template:
    spec: {restartPolicy: Never, containers: [{name: api, image: {{ .Values.hook | quote }}}]}
{{- end }}
"""
_SCHEMA = '{"type": "object", "properties": {"text": {"type": "string", "maxLength": 20}}}'


def write_chart(folder: Path) -> Path:
    """Write the chart into a folder and give it."""
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text('apiVersion: v2\nname: sample\nversion: 1.2.3\nappVersion: "9"\n')
    (folder / "values.yaml").write_text('text: ""\npassword: ""\nimage: ""\nhook: ""\n')
    (folder / "values.schema.json").write_text(_SCHEMA)
    (folder / "templates" / "all.yaml").write_text(_TEMPLATE)
    return folder
