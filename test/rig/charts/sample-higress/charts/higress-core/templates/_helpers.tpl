{{- define "core.image" -}}
{{ .root.Values.global.hub }}/higress/{{ .name }}:{{ .root.Chart.AppVersion }}
{{- end }}
{{- define "core.env" -}}
{{- range $name, $value := . }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}
