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
app.kubernetes.io/name: {{ .Chart.Name }}
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

{{/* Of a value that is on by default: only false turns it off, null does not. */}}
{{- define "refwarden.isOn" -}}
{{- if ne (toString .) "false" -}}true{{- end -}}
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
{{- with .Values.webhook }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Where Pods may run, and how urgently. */}}
{{- define "refwarden.placement" -}}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Of a Pod that does one thing and ends. */}}
{{- define "refwarden.smallResources" -}}
requests: {cpu: 10m, memory: 64Mi}
limits: {memory: 256Mi}
{{- end -}}

{{/* Bytes of cache.sizeLimit. */}}
{{- define "refwarden.cacheBytes" -}}
{{- $limit := .Values.cache.sizeLimit -}}
{{- $unit := ternary 1073741824 1048576 (hasSuffix "Gi" $limit) -}}
{{- mul (regexFind "^[0-9]+" $limit | int64) $unit -}}
{{- end -}}

{{/* limits of registries.yaml. A volume that outgrows its limit has the Pod evicted: the cache stays below it. */}}
{{- define "refwarden.limits" -}}
{{- $room := div (mul (include "refwarden.cacheBytes" . | int64) 3) 4 -}}
{{- toYaml (merge (dict) (default dict .Values.limits) (dict "cacheDirMaxBytes" (min $room 68719476736))) -}}
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

{{/* Whether a file is below a directory of the image, or one that Kubernetes or deployment.yaml mounts; /settings and /cache hold nothing but ours. */}}
{{- define "refwarden.isFound" -}}
{{- $mounts := list "/etc" "/usr" "/var/run/secrets/kubernetes.io/serviceaccount" -}}
{{- if ne .Values.certificates.mode "Self" -}}{{- $mounts = append $mounts "/tls" -}}{{- end -}}
{{- if .Values.clientCA.configMap -}}{{- $mounts = append $mounts "/client-ca" -}}{{- end -}}
{{- if .Values.dockerConfigSecret -}}{{- $mounts = append $mounts "/docker" -}}{{- end -}}
{{- if .Values.credentialProviders.volume -}}{{- $mounts = append $mounts "/credential-providers" -}}{{- end -}}
{{- range .Values.extraVolumeMounts -}}{{- $mounts = append $mounts .mountPath -}}{{- end -}}
{{- $file := clean .file -}}
{{- range $mounts -}}
{{- if or (eq $file (clean .)) (hasPrefix (printf "%s/" (clean . | trimSuffix "/")) $file) -}}true{{- end -}}
{{- end -}}
{{- end -}}

{{/* What values.schema.json cannot say. */}}
{{- define "refwarden.check" -}}
{{- if and (eq .Values.certificates.mode "Provided") (not .Values.certificates.secretName) -}}
{{- fail "certificates.mode Provided needs certificates.secretName: a Secret with tls.crt, tls.key and ca.crt." -}}
{{- end -}}
{{- $issuer := default dict .Values.certificates.issuerRef -}}
{{- $isTakenOut := and (eq .Values.certificates.mode "CertManager") (kindIs "invalid" .Values.certificates.issuerRef) -}}
{{- if or $isTakenOut (and $issuer (not $issuer.name)) -}}
{{- fail "certificates.issuerRef needs name, the issuer's." -}}
{{- end -}}
{{- if and $issuer (ne .Values.certificates.mode "CertManager") -}}
{{- fail "certificates.issuerRef is for certificates.mode CertManager." -}}
{{- end -}}
{{- $limits := default dict .Values.limits -}}
{{- if gt (mul (default 0 $limits.cacheDirMaxBytes | int64) 10) (mul (include "refwarden.cacheBytes" . | int64) 9) -}}
{{- fail "limits.cacheDirMaxBytes is more than nine tenths of cache.sizeLimit, beyond which the Pod is evicted." -}}
{{- end -}}
{{- $most := include "refwarden.limits" . | fromYaml -}}
{{- if lt (sub (include "refwarden.cacheBytes" . | int64) ($most.cacheDirMaxBytes | int64)) (default 33554432 $limits.maxLayerBytes | int64) -}}
{{- fail "cache.sizeLimit has no room for a layer (limits.maxLayerBytes, 32Mi where it is left out) beside limits.cacheDirMaxBytes, three quarters of it where they are left out." -}}
{{- end -}}
{{- if eq (int .Values.ports.webhook) (int .Values.ports.operations) -}}
{{- fail "ports.webhook and ports.operations are the same." -}}
{{- end -}}
{{- if and (eq .Values.pullSecrets.mode "Named") (not .Values.pullSecrets.names) -}}
{{- fail "pullSecrets.mode Named needs pullSecrets.names." -}}
{{- end -}}
{{- if and (eq .Values.pullSecrets.mode "Namespaces") (not .Values.pullSecrets.namespaces) -}}
{{- fail "pullSecrets.mode Namespaces needs pullSecrets.namespaces." -}}
{{- end -}}
{{- if and .Values.pullSecrets.names (ne .Values.pullSecrets.mode "Named") -}}
{{- fail (printf "pullSecrets.names is for pullSecrets.mode Named, and the mode is %s." .Values.pullSecrets.mode) -}}
{{- end -}}
{{- if and .Values.pullSecrets.namespaces (ne .Values.pullSecrets.mode "Namespaces") -}}
{{- fail (printf "pullSecrets.namespaces is for pullSecrets.mode Namespaces, and the mode is %s." .Values.pullSecrets.mode) -}}
{{- end -}}
{{- if and (not (include "refwarden.isOn" .Values.networkPolicy.enabled)) (or .Values.networkPolicy.webhookFrom .Values.networkPolicy.metricsFrom) -}}
{{- fail "networkPolicy.webhookFrom and metricsFrom need networkPolicy.enabled." -}}
{{- end -}}
{{- if and (eq (default "cert-manager.io" $issuer.group) "cert-manager.io") (not (has (default "Issuer" $issuer.kind) (list "Issuer" "ClusterIssuer"))) -}}
{{- fail "certificates.issuerRef.kind is Issuer or ClusterIssuer." -}}
{{- end -}}
{{- /* Whatever deployment.yaml gives, and what contradicts it; a test compares. */ -}}
{{- $own := list "--listen" "--operations-listen" "--webhooks" "--registries" "--release-namespace" "--kubeconfig" "--policies" "--certificate-secret" "--tls-cert" "--tls-key" "--webhook-ca" "--client-ca" "--no-pinning" "--no-pull-secrets" "--unmatched" "--log-level" "--max-exception-days" "--cache-dir" "--docker-config" "--credential-providers" "--credential-provider-dir" -}}
{{- range .Values.extraArgs -}}
{{- if has (first (splitList "=" .)) $own -}}
{{- fail (printf "%s is not for extraArgs: the chart gives it, or it has no meaning there." .) -}}
{{- end -}}
{{- end -}}
{{- range $entry := .Values.registries -}}
{{- range $field, $file := merge (pick $entry "caFile") (pick (default dict $entry.clientCertificate) "certFile" "keyFile") -}}
{{- if not (include "refwarden.isFound" (dict "file" $file "Values" $.Values)) -}}
{{- fail (printf "registries: %s %s of %s is in no volume: mount one by extraVolumes and extraVolumeMounts." $field $file $entry.host) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and .Values.credentialProviders.volume (not .Values.credentialProviders.config) -}}
{{- fail "credentialProviders.volume needs credentialProviders.config, which says when its programs are run." -}}
{{- end -}}
{{- if and .Values.credentialProviders.config (not .Values.credentialProviders.volume) -}}
{{- fail "credentialProviders.config needs credentialProviders.volume, which holds its programs." -}}
{{- end -}}
{{- end -}}
