"""Wrong credentials, and credentials in the wrong place, are never shown."""

import pytest

from exporter.config import ConfigError, parse
from tests.config.texts import SECRET, problems


@pytest.mark.parametrize("name", ["api_key", "api_secret"])
@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("'geheim x'", "contains a space, tab or line break; remove it"),
        ('"geheim\\n"', "contains a space, tab or line break; remove it"),
        ('"geheim\\a"', "contains a control character; remove it"),
        ("geheim密", "contains a character that an HTTP header cannot carry; copy it again"),
        ("g" * 1025, "is longer than 1024 characters; is it the right value?"),
        ("''", "is empty; write the value from the vendor's console"),
        ("[geheim]", "is a list, not text"),
        ("{geheim: geheim}", "is a mapping, not text"),
        (
            "geheim${",
            (
                "has a '${' that is not ${VAR} or ${VAR:-default}; complete it, or write "
                "'$$' for a dollar sign"
            ),
        ),
    ],
)
def test_a_bad_credential_is_refused_and_not_shown(name: str, written: str, message: str) -> None:
    other = "api_secret" if name == "api_key" else "api_key"
    text = f"accounts:\n- name: a\n  {other}: abcdefgh\n  {name}: {written}\n"
    assert problems(text) == [f"config.yaml:4: accounts[0].{name}: {message}"]


@pytest.mark.parametrize(
    "text",
    [
        f"accounts:\n- {{name: a, api_key: k, api_secret:{SECRET}}}",
        f"accounts:\n- name: a\n  api_key: k\n  api_secret:{SECRET}\n",
        f"accounts:\n- name: a\n  api_key: k\n  api_secret={SECRET}\n",
        f"accounts:\n- {{name: a, api_key: k, api_secret={SECRET}}}",
        f"accounts:\n- name: a\n  api_key: k\n  api_secret: *{SECRET}\n",
        f"accounts:\n- name: a\n  api_key: k\n  api_secret: &{SECRET}\n",
        f"accounts:\n- name: a\n  api_key: k\n  api_secret: !{SECRET}\n",
        f"accounts:\n- name: a\n  api_key: k\n  api_secret: !a!{SECRET}\n",
        f"accounts:\n- name: a\n  api_key: k\n  api_secret: %{SECRET}\n",
        f"accounts:\n- name: a\n  api_key: k\n  api_secret: @{SECRET}\n",
        f"accounts:\n- name: a\n  api_key: k\n  api_secret: '{SECRET}\n",
        f'accounts:\n- name: a\n  api_key: k\n  api_secret: "\\{SECRET}"\n',
        f"accounts:\n- name: a\n  api_key: k\n  api_secret: x: {SECRET}\n",
        f"accounts:\n- name: a\n  api_key: k\n  api_secret: [{SECRET}\n",
        f"accounts:\n- name: a\n  api_key: k\n  api_secret: {{{SECRET}}}\n",
        f"accounts:\n- name: a\n  api_key: k\n  api_secrets: {SECRET}\n",
        f"accounts:\n- name: a\n  api_key: k\n  api_secret: {SECRET}\n  timezone: {SECRET}\n",
        f"accounts:\n- name: a\n  api_key: k\n  base_url: {SECRET}\n  api_secret: http://x\n",
        f"accounts:\n- name: a\n  api_key: k\n  api_secret_file: {SECRET}\n",
        f"accounts:\n- {SECRET}\n",
        f"accounts: {SECRET}\n",
        f"{SECRET}\n",
    ],
)
def test_a_secret_in_the_wrong_place_is_not_shown(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text, {})
    assert SECRET not in str(caught.value)
    assert SECRET not in repr(caught.value)


def test_a_space_missing_after_a_colon_is_recognised() -> None:
    text = f"accounts:\n- {{name: a, api_key: k, api_secret:{SECRET}}}"
    assert "config.yaml:2: accounts[0].api_secret…: has no space after its colon; " in "\n".join(
        problems(text)
    )
