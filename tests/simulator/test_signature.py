from exporter.simulator.signature import headers, sign

EXPECTED = "05d7a50893e22a5c4bb3216ae3396c7c"


def test_the_vendors_example() -> None:
    assert sign("bDqJFiq9", "7bz1lzh9", "1630468800") == EXPECTED


def test_headers_carry_whole_seconds() -> None:
    assert headers("bDqJFiq9", "7bz1lzh9", 1630468800.9) == {
        "Content-Type": "application/json;charset=UTF-8",
        "Api-Key": "bDqJFiq9",
        "Timestamp": "1630468800",
        "Sign": EXPECTED,
    }
