{{- define "refwarden.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "refwarden.selectorLabels" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "refwarden.labels" -}}
{{ include "refwarden.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "refwarden.image" -}}
{{- $tag := .Values.image.tag -}}
{{- if not (or $tag .Values.image.digest) -}}{{- $tag = .Chart.AppVersion -}}{{- end -}}
{{- .Values.image.repository -}}
{{- if $tag -}}:{{ $tag }}{{- end -}}
{{- if .Values.image.digest -}}@{{ .Values.image.digest }}{{- end -}}
{{- end -}}

{{- define "refwarden.certificateSecret" -}}
{{- default (printf "%s-certificates" (include "refwarden.fullname" .)) .Values.certificates.secretName -}}
{{- end -}}

{{/* The file of serve --webhooks. */}}
{{- define "refwarden.webhooks" -}}
name: {{ include "refwarden.fullname" . }}
service:
  namespace: {{ .Release.Namespace }}
  name: {{ include "refwarden.fullname" . }}
  port: 443
clusterRole: {{ include "refwarden.fullname" . }}
{{ toYaml .Values.webhook }}
{{- end -}}

{{- define "refwarden.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{- define "refwarden.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{/* What values.schema.json cannot say. */}}
{{- define "refwarden.check" -}}
{{- if and (eq .Values.certificates.mode "Provided") (not .Values.certificates.secretName) -}}
{{- fail "certificates.mode Provided needs certificates.secretName: a Secret with tls.crt, tls.key and ca.crt." -}}
{{- end -}}
{{- if and (eq .Values.pullSecrets.mode "Named") (not .Values.pullSecrets.names) -}}
{{- fail "pullSecrets.mode Named needs pullSecrets.names." -}}
{{- end -}}
{{- if and (eq .Values.pullSecrets.mode "Namespaces") (not .Values.pullSecrets.namespaces) -}}
{{- fail "pullSecrets.mode Namespaces needs pullSecrets.namespaces." -}}
{{- end -}}
{{- if and .Values.credentialProviders.config (not .Values.credentialProviders.volume) -}}
{{- fail "credentialProviders.config needs credentialProviders.volume, which holds its programs." -}}
{{- end -}}
{{- end -}}
