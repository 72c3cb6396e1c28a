"""A real mosquitto on a free port of the loopback: plain, with TLS of its own authority, with logins and an ACL."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Self

from attrs import define, field

STARTS_WITHIN_S = 10.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@define
class Certificates:
    """An authority made for one test folder, and what it signs. ``openssl`` does the work."""

    folder: Path

    @property
    def ca(self) -> Path:
        return self.folder / "ca.crt"

    def make_authority(self) -> Self:
        self._openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-keyout", "ca.key", "-out", "ca.crt", "-days", "30", "-subj", "/CN=authority of a test",
            "-addext", "keyUsage=critical,keyCertSign,cRLSign",
        )  # fmt: skip
        return self

    def sign(self, name: str, host: str, *, expired: bool = False) -> tuple[Path, Path]:
        """Certificate and key for *host*, a name or an address; *expired* ended in 2021."""
        kind = "IP" if host.replace(".", "").isdigit() else "DNS"
        (self.folder / "index.txt").write_text("")
        (self.folder / "serial").write_text("01\n")
        (self.folder / "ca.conf").write_text(
            f"[ca]\ndefault_ca=d\n[d]\ndir={self.folder}\ndatabase=$dir/index.txt\nserial=$dir/serial\nnew_certs_dir=$dir\n"
            "default_md=sha256\npolicy=p\nunique_subject=no\nx509_extensions=e\n[p]\ncommonName=supplied\n"
            f"[e]\nsubjectAltName={kind}:{host}\nauthorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n"
        )
        self._openssl(
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={host}",
        )  # fmt: skip
        until = ["-startdate", "20200101000000Z", "-enddate", "20210101000000Z"] if expired else ["-days", "30"]
        self._openssl(
            "ca", "-batch", "-notext", "-config", "ca.conf", "-cert", "ca.crt", "-keyfile", "ca.key",
            "-in", f"{name}.csr", "-out", f"{name}.crt", *until,
        )  # fmt: skip
        return self.folder / f"{name}.crt", self.folder / f"{name}.key"

    def self_sign(self, name: str, host: str) -> tuple[Path, Path]:
        self._openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-keyout", f"{name}.key", "-out", f"{name}.crt", "-days", "30", "-subj", f"/CN={host}",
        )  # fmt: skip
        return self.folder / f"{name}.crt", self.folder / f"{name}.key"

    def sha256(self, certificate: Path) -> str:
        said = self._openssl("x509", "-in", certificate.name, "-noout", "-fingerprint", "-sha256")
        return said.partition("=")[2].strip().replace(":", "").lower()

    def _openssl(self, *words: str) -> str:
        done = subprocess.run(["openssl", *words], cwd=self.folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout


@define
class Mosquitto:
    """One broker. ``tls`` is (certificate, key); ``logins`` name to password; ``acl`` mosquitto's ACL text."""

    folder: Path
    port: int = field(factory=free_port)
    tls: tuple[Path, Path] | None = None
    logins: dict[str, str] = field(factory=dict)
    acl: str = ""
    settings: str = ""
    _process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        program = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin")
        assert program, "mosquitto is missing: apt install mosquitto"
        configuration = self.folder / f"mosquitto-{self.port}.conf"
        configuration.write_text(self._configuration())
        with (self.folder / f"mosquitto-{self.port}.log").open("ab") as log:
            before = log.tell()
            self._process = subprocess.Popen([program, "-c", str(configuration)], stdout=log, stderr=log)
        # Not when it listens: until it runs a SIGHUP ends it.
        assert self.says(" running\n", STARTS_WITHIN_S, before), self.log(before)

    def stop(self) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait(10)
        self._process = None

    def kill(self) -> None:
        """As a power cut: no goodbye to anybody."""
        assert self._process
        self._process.kill()
        self._process.wait(10)
        self._process = None

    def reload(self) -> None:
        """It reads its password and ACL files again, and puts out whom they let in no longer."""
        assert self._process
        before = len(self.log().encode())
        self._process.send_signal(signal.SIGHUP)
        assert self.says("Reloading config.", STARTS_WITHIN_S, before), self.log(before)

    def let_in(self, name: str, password: str, rights: str) -> None:
        """One more login while it runs, as after `systemctl reload mosquitto`."""
        self.logins[name], self.acl = password, f"{self.acl}\n{rights}"
        (self.folder / f"mosquitto-{self.port}.conf").write_text(self._configuration())
        self.reload()

    def log(self, since: int = 0) -> str:
        """What it has said, from its byte *since* on."""
        with (self.folder / f"mosquitto-{self.port}.log").open("rb") as file:
            file.seek(since)
            return file.read().decode()

    def says(self, words: str, within: float = 10.0, since: int = 0) -> bool:
        """Whether its log comes to hold *words* from its byte *since* on; a broker that has ended says no more."""
        until = time.monotonic() + within
        while words not in self.log(since):
            if time.monotonic() > until or self._process is None or self._process.poll() is not None:
                return words in self.log(since)
            time.sleep(0.02)
        return True

    def _configuration(self) -> str:
        lines = [f"listener {self.port} 127.0.0.1", "persistence false", "log_type all", "user root", self.settings]
        closed = self.logins or "password_file" in self.settings
        lines.append(f"allow_anonymous {'false' if closed else 'true'}")
        if self.tls:
            lines += [f"certfile {self.tls[0]}", f"keyfile {self.tls[1]}"]
        if self.logins:
            passwords = self.folder / f"passwords-{self.port}"
            passwords.touch(0o600)
            for name, password in self.logins.items():
                subprocess.run(["mosquitto_passwd", "-b", str(passwords), name, password], check=True)
            lines.append(f"password_file {passwords}")
        if self.acl:
            acl = self.folder / f"acl-{self.port}"
            acl.write_text(self.acl)
            acl.chmod(0o600)
            lines.append(f"acl_file {acl}")
        return "\n".join(lines) + "\n"
