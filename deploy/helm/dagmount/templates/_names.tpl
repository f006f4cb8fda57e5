{{- define "dagmount.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" }}
{{- end }}

{{- define "dagmount.fullname" -}}
{{- $name := include "dagmount.name" . }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "dagmount.selector" -}}
app.kubernetes.io/name: {{ include "dagmount.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "dagmount.labels" -}}
{{ include "dagmount.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "dagmount.image" -}}
{{- with .Values.image }}
{{- if .digest }}{{ .repository }}@{{ .digest }}
{{- else }}{{ .repository }}:{{ default $.Chart.AppVersion .tag }}
{{- end }}
{{- end }}
{{- end }}

{{- define "dagmount.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "dagmount.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "dagmount.driverName" -}}
csi.dagmount.dev
{{- end }}

{{- define "dagmount.pluginDir" -}}
{{ .Values.kubeletDir }}/plugins/{{ include "dagmount.driverName" . }}
{{- end }}

{{/* How labels distinguish the metrics of many mounts: docs/kubernetes.md, "Monitoring". */}}
{{- define "dagmount.relabelings" -}}
relabelings:
  - { sourceLabels: [__meta_kubernetes_pod_node_name], targetLabel: instance }
  - { targetLabel: job, replacement: dagmount }
metricRelabelings:
  - sourceLabels: [source, mount_key]
    regex: (.+);(.+)
    targetLabel: job
    replacement: dagmount $1 $2
{{- end }}
