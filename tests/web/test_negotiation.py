import pytest

from exporter.web.negotiation import wants_gzip, wants_openmetrics

PROMETHEUS_2 = (
    "application/openmetrics-text;version=1.0.0;q=0.5,"
    "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)
PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,"
    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)
PROTOBUF_FIRST = (
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;"
    "q=0.7,application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.4"
)
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "openmetrics"),
    [
        ([], False),
        ([""], False),
        (["*/*"], False),
        ([BROWSER], False),
        (["text/plain"], False),
        ([PROMETHEUS_2], True),
        ([PROMETHEUS_3], True),
        ([PROTOBUF_FIRST], True),
        (PROMETHEUS_2.split(","), True),
        (["application/openmetrics-text"], True),
        (["APPLICATION/OpenMetrics-Text; Version=1.0.0; charset=utf-8"], True),
        (['application/openmetrics-text;version="1.0.0"'], True),
        (["application/openmetrics-text;version=0.0.1"], False),
        (["application/openmetrics-text;version=2.0.0,*/*;q=0.1"], False),
        (["application/openmetrics-text;q=0"], False),
        (["application/openmetrics-text;q=0.2,text/plain;q=0.3"], False),
        (["application/openmetrics-text,text/plain"], True),
        (["application/openmetrics-text;q=0.3,text/plain;version=1.0.0;q=0.9"], True),
        (["application/openmetrics-text;q=0,*/*"], False),
        (["application/*"], True),
        (["application/*;q=0.9,text/*;q=0.1"], True),
        (["text/plain;q=0, */*;q=0.5"], True),
        (["application/openmetrics-text;q=nan"], False),
        (["application/openmetrics-text;q=9"], False),
        ([";;,,\x00,application/openmetrics-text"], True),
        (['application/openmetrics-text;note="a,b;q=0";q=0.9,text/plain;q=0.1'], True),
    ],
)
def test_the_format_is_the_one_the_client_weighs_highest(
    accept: list[str], openmetrics: bool
) -> None:
    assert wants_openmetrics(accept) is openmetrics


@pytest.mark.parametrize(
    ("accept_encoding", "gzip"),
    [
        ([], False),
        ([""], False),
        (["gzip"], True),
        (["deflate, GZIP"], True),
        (["deflate", "gzip;q=0.1"], True),
        (["x-gzip"], True),
        (["*"], True),
        (["identity"], False),
        (["gzip;q=0"], False),
        (["gzip;q=0.000, *"], False),
        (["*;q=0"], False),
        (["gzip;q=0.5, identity;q=0.8"], False),
        (["gzip;q=0.5, identity;q=0.5"], True),
        (["br"], False),
    ],
)
def test_gzip_where_it_is_allowed_and_not_liked_less(
    accept_encoding: list[str], gzip: bool
) -> None:
    assert wants_gzip(accept_encoding) is gzip


def test_a_long_hostile_header_is_read_in_linear_time() -> None:
    wants_openmetrics(["a/b" + ";x" * 200_000])
    wants_openmetrics(['a/b;x="' + "\\" * 200_000])
    wants_openmetrics(["," * 200_000])
