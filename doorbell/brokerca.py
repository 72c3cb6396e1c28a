"""An authority of the household's own, for the broker's certificate: nobody else's, and good for nothing else.

Who puts an authority into a phone lets it vouch for every web site there is. So this one is bound to the broker's names
(name constraints, RFC 5280 4.2.1.10): whoever steals its key can be the broker, and still not the bank. ``openssl``
makes it.
"""

from __future__ import annotations

import ipaddress
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from attrs import frozen

from doorbell.brokersetup import give_to_broker
from doorbell.errors import DeviceError, Mistake

CA_KEY: Final = "doorbell-ca.key"
CA: Final = "doorbell-ca.crt"
KEY: Final = "doorbell-broker.key"
CERTIFICATE: Final = "doorbell-broker.crt"
CA_DAYS: Final = 3650
DAYS: Final = 800
"""iPhones refuse a certificate that is good for more than 825 days, whoever signed it."""
WARN_DAYS: Final = 60
MOST_NAMES: Final = 8
NAME: Final = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*")


class _RefusedError(DeviceError):
    """What openssl was given it does not take."""


@frozen
class Authority:
    """The four files in *folder*, ``/etc/mosquitto`` as a rule."""

    folder: Path

    def make(self, names: Sequence[str], days: int = DAYS) -> bool:
        """A certificate for *names*, and the authority where there is none yet: whether that is new.

        Raises Mistake for names that are none, or other ones than the authority is bound to.
        """
        kinds = [f"{'IP' if _is_address(name) else 'DNS'}:{name}" for name in _checked(names)]
        anew = not (self.folder / CA).exists()
        try:
            with tempfile.TemporaryDirectory(prefix=".doorbell-ca-", dir=self.folder) as room:
                one = _Workshop(Path(room))
                if anew:
                    one.authority(kinds)
                else:
                    self._take_along(one, kinds)
                one.certificate(kinds, days)
                self._put_in_place(one.room, [CA_KEY, CA, KEY, CERTIFICATE] if anew else [KEY, CERTIFICATE])
        except OSError as error:
            raise DeviceError(
                f"{self.folder} cannot be written ({error.strerror}): run this as root, at the broker."
            ) from None
        return anew

    def ends(self) -> datetime | None:
        """When the broker's certificate ends; None where there is none. Raises DeviceError."""
        path = self.folder / CERTIFICATE
        if not path.exists():
            return None
        said = self._read_certificate("-enddate").partition("=")[2].strip()
        return datetime.strptime(said, "%b %d %H:%M:%S %Y GMT").replace(tzinfo=UTC)

    def fingerprint(self) -> str:
        """The certificate's SHA-256, as ``mqtt.pin_sha256`` takes it."""
        said = self._read_certificate("-fingerprint", "-sha256")
        return said.partition("=")[2].strip().replace(":", "").lower()

    def _read_certificate(self, *what: str) -> str:
        try:
            return _openssl(self.folder, "x509", "-in", CERTIFICATE, "-noout", *what)
        except _RefusedError:
            raise DeviceError(
                f"{self.folder / CERTIFICATE} cannot be used: make it again with doorbell broker-setup ca."
            ) from None

    def _take_along(self, one: _Workshop, kinds: Sequence[str]) -> None:
        bound = self._read_own(CA, "x509", "-in", CA, "-noout", "-ext", "nameConstraints").partition("Excluded")[0]
        self._read_own(CA_KEY, "pkey", "-in", CA_KEY, "-noout")
        permitted = {_plain(name) for name in re.findall(r"(?:DNS|IP):([^\s/]+)", bound)}
        if {_plain(kind.partition(":")[2]) for kind in kinds} - permitted:
            raise Mistake(
                f"The authority is bound to {', '.join(sorted(permitted))}: for other names remove {self.folder / CA} "
                "first, and put the new one into the door and the phones."
            )
        for name in (CA_KEY, CA):
            shutil.copy(self.folder / name, one.room / name)

    def _read_own(self, name: str, *words: str) -> str:
        """What openssl says of the file *name*. Raises DeviceError for one that is missing, cut short or another's."""
        try:
            return _openssl(self.folder, *words)
        except _RefusedError:
            raise DeviceError(
                f"{self.folder / name} cannot be used: put it back from a copy, or remove {self.folder / CA} and make "
                "a new authority, which door and phones then need."
            ) from None

    def _put_in_place(self, room: Path, names: Sequence[str]) -> None:
        for name in names:
            made = room / name
            made.chmod({CA_KEY: 0o600, KEY: 0o640}.get(name, 0o644))
            if name == KEY:
                give_to_broker(made)
            descriptor = os.open(made, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            made.replace(self.folder / name)


@frozen
class _Workshop:
    """A folder that nobody else may look into, where the files are made."""

    room: Path

    def authority(self, kinds: Sequence[str]) -> None:
        permitted = ",".join([f"permitted;{_range(kind)}" for kind in kinds] + _nothing_else(kinds))
        (self.room / "ca.conf").write_text(
            "[req]\ndistinguished_name=d\nx509_extensions=e\nprompt=no\n[d]\nCN=Doorbell broker's own authority\n"
            "[e]\nbasicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign\n"
            f"subjectKeyIdentifier=hash\nnameConstraints=critical,{permitted}\n"
        )
        self._key(CA_KEY)
        self._run("req", "-x509", "-new", "-key", CA_KEY, "-out", CA, "-days", str(CA_DAYS), "-config", "ca.conf")

    def certificate(self, kinds: Sequence[str], days: int) -> None:
        (self.room / "leaf.conf").write_text(
            "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\n"
            f"subjectAltName={','.join(kinds)}\n"
        )
        self._key(KEY)
        self._run("req", "-new", "-key", KEY, "-out", "leaf.csr", "-subj", "/CN=Doorbell broker")
        self._run(
            "x509", "-req", "-in", "leaf.csr", "-CA", CA, "-CAkey", CA_KEY, "-days", str(days), "-sha256",
            "-set_serial", f"0x{os.urandom(15).hex()}", "-extfile", "leaf.conf", "-out", CERTIFICATE,
        )  # fmt: skip

    def _key(self, name: str) -> None:
        self._run("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", name)

    def _run(self, *words: str) -> None:
        _openssl(self.room, *words)


def snippet(folder: Path) -> str:
    """What mosquitto needs in a file of conf.d."""
    files = f"certfile {folder / CERTIFICATE}\nkeyfile {folder / KEY}\ntls_version tlsv1.2\n"
    return f"listener 8883\n{files}\nlistener 8884\nprotocol websockets\n{files}"


def _checked(names: Sequence[str]) -> Sequence[str]:
    if not 1 <= len(names) <= MOST_NAMES or len(set(names)) != len(names):
        raise Mistake(f"Give 1 to {MOST_NAMES} different names or addresses by which door and phones find the broker.")
    for name in names:
        if not _is_address(name) and not (NAME.fullmatch(name) and len(name) <= 253):
            raise Mistake(f"{name[:64]} is no name or address of a broker: give such as broker.home or 192.168.1.5.")
    return names


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _plain(name: str) -> str:
    """A name as it is; an address in its shortest form, which openssl does not print."""
    return str(ipaddress.ip_address(name)) if _is_address(name) else name


def _range(kind: str) -> str:
    """One name or address as a range of them: an address with the mask of a single one."""
    what, _, name = kind.partition(":")
    if what == "DNS":
        return kind
    mask = "255.255.255.255" if ipaddress.ip_address(name).version == 4 else ":".join(["ffff"] * 8)
    return f"IP:{name}/{mask}"


def _nothing_else(kinds: Sequence[str]) -> list[str]:
    """A kind of name that has no range at all is not bound: so each kind gets one."""
    names = [kind.partition(":") for kind in kinds]
    found = {ipaddress.ip_address(name).version for what, _, name in names if what == "IP"}
    rest = [] if any(what == "DNS" for what, _, _ in names) else ["permitted;DNS:doorbell.invalid"]
    rest += [] if 4 in found else ["excluded;IP:0.0.0.0/0.0.0.0"]
    return rest + ([] if 6 in found else ["excluded;IP:::/::"])


def _openssl(folder: Path, *words: str) -> str:
    try:
        done = subprocess.run(["openssl", *words], cwd=folder, capture_output=True, text=True, check=False, timeout=60)
    except FileNotFoundError:
        raise DeviceError("openssl is missing: sudo apt-get install openssl.") from None
    except subprocess.TimeoutExpired:
        raise DeviceError("openssl did not end within a minute: is this machine short of randomness?") from None
    if done.returncode:
        raise _RefusedError(f"openssl refuses ({done.stderr.strip().splitlines()[-1:] or ['no word why']}).")
    return done.stdout
