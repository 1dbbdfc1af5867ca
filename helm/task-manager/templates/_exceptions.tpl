{{/* Rules of kube-score and checkov that do not fit, each with its reason where the checker reads it.
     Argument: (dict "root" $ "ignore" "kube-score check,…") */}}
{{- define "task-manager.exceptions" -}}
{{- /* An image reference never changes its content here, so asking the registry at each start would only make starts
       depend on it. Pods also prefer different hosts by topologySpreadConstraints, which kube-score does not see. */ -}}
kube-score/ignore: {{ join "," (prepend .ignore "container-image-pull-policy") }}
checkov.io/skip1: CKV_K8S_15=the reference names one image for ever, so a start must not depend on the registry
checkov.io/skip2: CKV_K8S_35=settings are variables, libpq's too, and who may read another process's environment may read its files
{{- if not .root.Values.image.digest }}
checkov.io/skip3: CKV_K8S_43=a tag is for images loaded into a node by hand, and the pipeline sets image.digest
{{- end }}
{{- end }}
