"""What is said about wrong values in an account, to the letter."""

import pytest

from tests.config.texts import account, problems

UNIT = "write a duration like 30s, 5m or 1h30m"


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("name: b", "5: accounts[0].name: is given twice, first in line 2; keep one"),
        (
            "api_secret_file: x",
            ("5: accounts[0].api_secret_file: is given beside api_secret; keep one of them"),
        ),
        (
            "base_url: api.example",
            (
                "5: accounts[0].base_url: does not begin with https:// or "
                "http://; write one like https://api.itniotech.com"
            ),
        ),
        (
            "base_url: https://",
            (
                "5: accounts[0].base_url: has no usable host or port; "
                "write one like https://api.itniotech.com"
            ),
        ),
        (
            "base_url: https://u:p@h",
            (
                "5: accounts[0].base_url: has a user or password in it; "
                "remove them, api_key and api_secret are all"
            ),
        ),
        (
            "base_url: https://h?",
            (
                "5: accounts[0].base_url: has a query or fragment; "
                "write only scheme, host, port and path"
            ),
        ),
        (
            "base_url: 'https://h/#a'",
            (
                "5: accounts[0].base_url: has a query or fragment; "
                "write only scheme, host, port and path"
            ),
        ),
        (
            "base_url: https://h:99999",
            ("5: accounts[0].base_url: is not a URL; write one like https://api.itniotech.com"),
        ),
        (
            "base_url: 'https://[::1'",
            ("5: accounts[0].base_url: is not a URL; write one like https://api.itniotech.com"),
        ),
        (
            "base_url: https://a b",
            (
                "5: accounts[0].base_url: has characters that a URL cannot "
                "have; write one like https://api.itniotech.com"
            ),
        ),
        (
            "timezone: Asia/Shangai",
            (
                "5: accounts[0].timezone: 'Asia/Shangai' is no time zone; "
                "did you mean Asia/Shanghai?"
            ),
        ),
        (
            "timezone: CST",
            (
                "5: accounts[0].timezone: 'CST' is no time zone; abbreviations mean several; "
                "write an IANA name such as Asia/Shanghai, or +08:00"
            ),
        ),
        (
            "timezone: ../../etc/passwd",
            (
                "5: accounts[0].timezone: '../../etc/passwd' is no time "
                "zone; write an IANA name such as Asia/Shanghai or an offset such as +08:00"
            ),
        ),
        (
            "timezone: UTC+8",
            (
                "5: accounts[0].timezone: 'UTC+8' is no time zone; "
                "write the offset alone, such as +08:00"
            ),
        ),
        (
            "timezone: +15:00",
            (
                "5: accounts[0].timezone: '+15:00' is no UTC offset; "
                "write one from -14:00 to +14:00, such as +08:00"
            ),
        ),
        (
            "currency: usd",
            (
                "5: accounts[0].currency: 'usd' is not a currency; "
                "write three capital letters such as USD"
            ),
        ),
        (
            "currency: NO",
            (
                "5: accounts[0].currency: 'NO' is not a currency; "
                "write three capital letters such as USD"
            ),
        ),
        (
            "statuses: [waitin]",
            ("5: accounts[0].statuses[0]: 'waitin' is not a status; did you mean waiting?"),
        ),
        (
            "statuses: [7]",
            (
                "5: accounts[0].statuses[0]: '7' is not a status; write one of waiting, "
                "calling, finished, submission_failed, cancelled, suspended, submitting"
            ),
        ),
        (
            "apps: {id: 1}",
            (
                "5: accounts[0].apps: is a mapping, not a list; "
                "write [..] or lines that begin with '- '"
            ),
        ),
        (
            "apps: [12]",
            ("5: accounts[0].apps[0]: is a single value, not a mapping of keys and values"),
        ),
        ("apps: [{id: 1}]", "5: accounts[0].apps[0].name: is missing; write name: collections"),
        ("apps: [{name: x, id: }]", "5: accounts[0].apps[0].id: is empty; write id: 12"),
        (
            "apps: [{name: x, id: -1}]",
            (
                "5: accounts[0].apps[0].id: '-1' is out of range; "
                "write a whole number from 1 to 999999999999999999"
            ),
        ),
        (
            "apps:\n- {id: 1, name: x}\n- {id: 1, name: y}",
            ("7: accounts[0].apps[1].id: is the same app id as in line 6; make them different"),
        ),
        (
            "apps:\n- {id: 1, name: x}\n- {id: 2, name: x}",
            ("7: accounts[0].apps[1].name: is the same app name as in line 6; make them different"),
        ),
        (
            "apps: [{id: 1, name: x, objectives: {answer: 1}}]",
            (
                "5: accounts[0].apps[0].objectives."
                "answer: is not a known key; did you mean answer_ratio?"
            ),
        ),
        (
            "objectives: {answer_ratio: 30%}",
            (
                "5: accounts[0].objectives.answer_ratio: '30%' is in "
                "percent; write a number above 0 up to 1"
            ),
        ),
        (
            "objectives: {answer_ratio: 0}",
            (
                "5: accounts[0].objectives.answer_ratio: '0' is out of "
                "range; write a number above 0 up to 1"
            ),
        ),
        (
            "objectives: {failure_ratio: 2}",
            (
                "5: accounts[0].objectives.failure_ratio: '2' is out of "
                "range; write a number from 0 up to 1"
            ),
        ),
        (
            "objectives: {average_call_duration: 20}",
            (f"5: accounts[0].objectives.average_call_duration: '20' has no unit; {UNIT}"),
        ),
        (
            "objectives: {daily_spend: 500(USD)}",
            (
                "5: accounts[0].objectives.daily_spend: '500(USD)' "
                "is not an amount above 0, without its currency; write one"
            ),
        ),
        (
            "objectives: {daily_spend: 1e99}",
            (
                "5: accounts[0].objectives.daily_spend: '1e99' is out "
                "of range; write an amount above 0, without its currency"
            ),
        ),
        (
            "objectives: {minimum_balance: 100}",
            (
                "5: accounts[0].objectives.minimum_balance: needs the balance to be asked for; "
                "write balance: true under this account"
            ),
        ),
        (
            "balance: maybe",
            "5: accounts[0].balance: 'maybe' is neither true nor false; write one of them",
        ),
        (
            "apps: [{id: 1, name: x, objectives: {minimum_balance: 100}}]",
            (
                "5: accounts[0].apps[0].objectives.minimum_balance: is not a known key; it belongs "
                "under accounts.objectives"
            ),
        ),
        ("search: ' x'", "5: accounts[0].search: begins or ends with a space; remove it"),
        (
            'search: "a\\u202eb"',
            ("5: accounts[0].search: has control or invisible characters; remove them"),
        ),
        (
            "zzz: 1",
            (
                "5: accounts[0].zzz: is not a known key; known here are name, api_key, "
                "api_secret, api_secret_file, base_url, timezone, currency, apps, objectives, "
                "balance, search, statuses"
            ),
        ),
        ("interval: 1s", "5: accounts[0].interval: is not a known key; it belongs under poll"),
        ("? [a]\n: b", "5: accounts[0]: has a key that is not text; write 'key: value'"),
        (
            "search: !!str x",
            (
                "5: accounts[0].search: has a YAML tag (!…), which is not used here; "
                "remove it, or quote the value if it begins with '!'"
            ),
        ),
    ],
)
def test_account(keys: str, message: str) -> None:
    assert problems(account(keys)) == [f"config.yaml:{message}"]
