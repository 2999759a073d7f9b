{{- define "itnio-exporter.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 52 | trimSuffix "-" -}}
{{- end -}}

{{/* Room is left for the suffixes: 52 letters, so that a StatefulSet's pods can be named, too. */}}
{{- define "itnio-exporter.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "itnio-exporter.name" . -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "itnio-exporter.selector" -}}
app.kubernetes.io/name: {{ include "itnio-exporter.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "itnio-exporter.labels" -}}
{{ include "itnio-exporter.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "itnio-exporter.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "itnio-exporter.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "itnio-exporter.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{/* An exporter that has nothing to poll would only ever be restarted. */}}
{{- define "itnio-exporter.check" -}}
{{- if not (or .Values.demo .Values.existingConfigMap .Values.config.accounts) -}}
{{- fail "set config.accounts (or existingConfigMap, or demo: true for a simulated account)" -}}
{{- end -}}
{{- if and (gt (int .Values.replicas) 1) (not .Values.storage.postgres.existingSecret) -}}
{{- fail "more than one replica would poll everything twice; set storage.postgres.existingSecret" -}}
{{- end -}}
{{- end -}}

{{/* Who keeps the counters on a volume of its own; a database and a demo need none. */}}
{{- define "itnio-exporter.volume" -}}
{{- if and .Values.storage.persistence.enabled (not .Values.demo) (not .Values.storage.postgres.existingSecret) -}}
true
{{- end -}}
{{- end -}}

{{- define "itnio-exporter.probe" -}}
{{- if .root.Values.web.existingSecret -}}
tcpSocket: {port: http}
{{- else -}}
httpGet: {path: {{ .path }}, port: http}
{{- end -}}
{{- end -}}
