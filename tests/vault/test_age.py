"""Whoever writes backups cannot read them (R-117, R-118)."""

from __future__ import annotations

import io
import os
import stat
from pathlib import Path

import pytest

from chatlead import age
from chatlead.age import BadKey, NoKeyFits, Undecryptable

pytestmark = pytest.mark.once

CANARY = b"vera.canary@example.com"


def test_only_the_identity_opens_what_was_encrypted_to_its_recipient() -> None:
    """R-118"""
    identity, recipient = age.new_identity()
    other, also = age.new_identity()
    assert age.recipient_of(identity) == recipient
    sealed = age.encrypt(CANARY, [recipient, also])
    assert CANARY not in sealed
    assert age.decrypt(sealed, [identity]) == age.decrypt(sealed, [other]) == CANARY
    stranger, _ = age.new_identity()
    with pytest.raises(NoKeyFits):
        age.decrypt(sealed, [stranger])


@pytest.mark.parametrize("harm", [lambda file: file[:-1], lambda file: file[: len(file) // 2], lambda _: b""])
def test_a_file_that_is_cut_off_does_not_open(tmp_path: Path, harm) -> None:
    """R-116"""
    identity, recipient = age.new_identity()
    plain, sealed, back = tmp_path / "plain", tmp_path / "sealed", tmp_path / "back"
    plain.write_bytes(CANARY * 20_000)
    age.encrypt_file(plain, sealed, [recipient])
    age.decrypt_file(sealed, back, [identity])
    assert back.read_bytes() == plain.read_bytes()
    assert stat.S_IMODE(back.stat().st_mode) == stat.S_IMODE(sealed.stat().st_mode) == 0o600
    sealed.write_bytes(harm(sealed.read_bytes()))
    with pytest.raises(Undecryptable):
        age.decrypt_file(sealed, back, [identity])
    assert not back.exists()


def test_one_changed_byte_is_noticed() -> None:
    """V-12: "corrupt one byte in archive → detected"."""
    identity, recipient = age.new_identity()
    sealed = bytearray(age.encrypt(os.urandom(100_000), [recipient]))
    for place in (len(sealed) // 2, len(sealed) - 1):
        harmed = bytearray(sealed)
        harmed[place] ^= 1
        with pytest.raises(Undecryptable) as fault:
            age.decrypt(bytes(harmed), [identity])
        assert not isinstance(fault.value, NoKeyFits)  # nobody is sent to look for another key


def test_what_is_no_key_is_named_and_not_shown() -> None:
    """R-118"""
    identity, recipient = age.new_identity()
    for recipients in ([], ["age1nonsense"], [identity]):
        with pytest.raises(BadKey) as fault:
            age.encrypt(b"", recipients)
        assert identity not in str(fault.value)
    for identities in ([], [recipient], [identity[:-1]]):
        with pytest.raises(BadKey) as fault:
            age.decrypt(age.encrypt(b"", [recipient]), identities)
        assert identity[:-1] not in str(fault.value)


def test_a_disk_that_is_full_is_an_error_of_the_system() -> None:
    """R-116"""

    class Full(io.BytesIO):
        def write(self, _: object) -> int:
            raise OSError(28, "No space left on device")

    _, recipient = age.new_identity()
    with pytest.raises(OSError, match="No space left"):
        age.encrypt_stream(io.BytesIO(CANARY * 20_000), Full(), [recipient])
    identity, recipient = age.new_identity()
    with pytest.raises(OSError, match="No space left"):
        age.decrypt_stream(io.BytesIO(age.encrypt(CANARY, [recipient])), Full(), [identity])


def test_identities_are_read_from_the_file_that_age_keygen_writes() -> None:
    """R-117"""
    identity, recipient = age.new_identity()
    text = f"# created: 2026-11-23T18:00:00Z\n# public key: {recipient}\n{identity}\n\n"
    assert age.identities_in(text) == [identity]
