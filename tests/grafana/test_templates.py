"""Annotations of Prometheus become annotations of Grafana, or an error."""

import pytest

from grafana.generate.templates import LEFT_OUT, NOTE, converted


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("plain", "plain"),
        ("{{ $labels.account }} is down", "{{ .Labels.account }} is down"),
        ("{{- $value | humanize -}}", "{{- .Values.A.Value | humanize -}}"),
        (
            "{{ with $labels.app }}/{{ . }}{{ end }}: {{ $value }}",
            "{{ with .Labels.app }}/{{ . }}{{ end }}: {{ .Values.A.Value }}",
        ),
        (
            "{{ if gt $value 1.0 }}{{ $labels.a }}{{ else }}none{{ end }}",
            "{{ if gt .Values.A.Value 1.0 }}{{ .Labels.a }}{{ else }}none{{ end }}",
        ),
        (
            'was {{ with printf "x{a=%q}" $labels.a | query }}{{ . | first | value }}{{ end }}.',
            f"was {LEFT_OUT}.{NOTE}",
        ),
        (
            'fails{{ with printf "x{a=%q}" $labels.a | query }} ({{ . | first }}){{ end }}.',
            "fails.",
        ),
        # There is an answer, and it is Grafana that does not ask: it is not said to be unknown.
        (
            'is {{ with query "x" }}{{ . | first | value }}{{ else }}unknown{{ end }}',
            f"is {LEFT_OUT}{NOTE}",
        ),
        ('{{ with query "x" }}, mostly {{ . | first }}{{ else }}, of late{{ end }}', ", of late"),
    ],
)
def test_converted(template: str, expected: str) -> None:
    assert converted(template) == expected


@pytest.mark.parametrize(
    "template",
    [
        "{{ $externalLabels.cluster }}",
        "{{ with $labels.app }}{{ $labels.account }}{{ end }}",
        '{{ query "x" | first | value }}',
        "{{ with $labels.app }}",
    ],
)
def test_what_grafana_cannot_say_is_an_error(template: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        converted(template)
