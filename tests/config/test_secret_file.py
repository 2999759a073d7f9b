import os
import socket
import threading
from pathlib import Path

import pytest

from exporter.config import ConfigError, SecretFileError, load, read_secret_file
from exporter.config import secret_file as module


@pytest.mark.parametrize("content", ["geheim", "geheim\n", "geheim\r\n"])
def test_one_line_break_at_the_end_is_not_part_of_it(tmp_path: Path, content: str) -> None:
    path = tmp_path / "secret"
    path.write_bytes(content.encode())
    assert read_secret_file(path).reveal() == "geheim"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "points to an empty file; write the secret into it"),
        (b"\n", "points to an empty file; write the secret into it"),
        (
            b"geheim\n\n",
            ("points to a file whose content contains a space, tab or line break; remove it"),
        ),
        (b"geheim\xff", "points to a file that is not UTF-8 text"),
        (b"g" * 65_537, "points to a file larger than 64 KiB; is it the right one?"),
        (
            b"g" * 65_536,
            (
                "points to a file whose content is longer than 1024 characters; "
                "is it the right value?"
            ),
        ),
    ],
)
def test_bad_content(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "secret"
    path.write_bytes(content)
    with pytest.raises(SecretFileError) as caught:
        read_secret_file(path)
    assert str(caught.value) == message


def test_what_is_no_file(tmp_path: Path) -> None:
    sock = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(sock))
        for path, words in (
            (tmp_path, "a directory"),
            (tmp_path / "none", "does not exist; create it"),
            (tmp_path / "x\0y", "is not a path"),
            (Path("/dev/zero"), "neither a file nor a pipe"),
            (sock, "cannot be read"),
        ):
            with pytest.raises(SecretFileError, match=words):
                read_secret_file(path)


def test_a_file_this_user_may_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.open", refuse)
    with pytest.raises(SecretFileError, match="this user may not read; change its owner or mode"):
        read_secret_file(tmp_path / "secret")


def test_a_named_pipe(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_text, args=("geheim\n",))
    writer.start()
    assert read_secret_file(path).reveal() == "geheim"
    writer.join()


def test_a_file_descriptor_as_a_shell_gives_it() -> None:
    reading, writing = os.pipe()
    try:
        os.write(writing, b"geheim\n")
        os.close(writing)
        assert read_secret_file(Path(f"/dev/fd/{reading}")).reveal() == "geheim"
    finally:
        os.close(reading)


def test_a_pipe_that_nobody_writes_to_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    monkeypatch.setattr(module, "_PIPE_PATIENCE", 0.05)
    with pytest.raises(SecretFileError, match="gave nothing within"):
        read_secret_file(path)


def test_the_path_is_relative_to_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("geheim\n", encoding="ascii")
    (tmp_path / "secret").chmod(0o640)
    config = tmp_path / "config.yaml"
    text = "accounts:\n- {name: a, api_key: k, api_secret_file: ./secret, timezone: UTC}\n"
    config.write_text(text, encoding="ascii")
    account = load(config, {}).accounts[0]
    assert account.api_secret.reveal() == "geheim"
    assert account.api_secret_file == tmp_path / "secret"
    assert load(config, {}).warnings == ()

    (tmp_path / "secret").chmod(0o644)
    (warning,) = load(config, {}).warnings
    assert (warning.line, warning.key) == (2, "accounts[0].api_secret_file")
    assert "chmod o-r" in warning.message

    (tmp_path / "secret").unlink()
    with pytest.raises(ConfigError, match=r"config.yaml:2: accounts\[0\].api_secret_file: points"):
        load(config, {})
