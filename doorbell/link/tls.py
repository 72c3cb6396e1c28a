"""TLS towards the broker: which certificates are trusted, and what to do when one is not.

Two ways, and no third that trusts anything: a certificate authority (the system's, or a file) with the host name
checked, or a pinned certificate. TLS 1.2 is the oldest spoken.

A pin is checked before any login can be sent: MQTT's password follows the handshake at once, so the certificate is
fetched in a handshake of its own, compared, and is then the only trust anchor of the real connection. Only there is
the host name left unchecked: the certificate itself is what was agreed on, and one made at home names no host.
"""

from __future__ import annotations

import hashlib
import hmac
import socket
import ssl

from doorbell.errors import DeviceError


class PinMismatch(DeviceError):  # noqa: N818  named as the sentence that it is
    """The broker's certificate is not the pinned one."""

    def __init__(self) -> None:
        super().__init__(
            "The broker's certificate is not the pinned one: if it was renewed, give its new SHA-256 as "
            "mqtt.pin_sha256; if it was not, somebody else answers in the broker's place."
        )


def authority_context(ca_file: str) -> ssl.SSLContext:
    """Trust the authority in *ca_file* (PEM), or the system's when it is empty; the host name is checked.

    Raises DeviceError when the file cannot be read or holds no certificate.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if not ca_file:
        context.load_default_certs()
        return context
    try:
        context.load_verify_locations(cafile=ca_file)
    except ssl.SSLError:
        raise DeviceError(f"mqtt.ca_file = {ca_file}: it holds no certificate; give a file in PEM format.") from None
    except OSError as error:
        raise DeviceError(f"mqtt.ca_file = {ca_file} cannot be read ({error.strerror}): check the path.") from None
    return context


def pinned_context(host: str, port: int, pin_sha256: str, timeout_s: float) -> ssl.SSLContext:
    """Fetch the certificate of *host*, compare it with the pin, and trust it alone.

    Raises PinMismatch, or OSError (ssl.SSLError among them) when there is no handshake. Waits at most *timeout_s* for
    TCP and again for the handshake.
    """
    look = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    look.minimum_version = ssl.TLSVersion.TLSv1_2
    look.check_hostname = False
    look.verify_mode = ssl.CERT_NONE  # nothing is sent over this handshake: it only shows the certificate
    with socket.create_connection((host, port), timeout_s) as plain, look.wrap_socket(plain) as shown:
        certificate = shown.getpeercert(binary_form=True) or b""
    if not is_pinned(certificate, pin_sha256):
        raise PinMismatch
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # a pinned leaf stands for itself, whoever signed it
    context.load_verify_locations(cadata=certificate)
    return context


def is_pinned(certificate: bytes, pin_sha256: str) -> bool:
    """Whether the SHA-256 of this certificate (DER) is *pin_sha256* (hex)."""
    return hmac.compare_digest(hashlib.sha256(certificate).hexdigest(), pin_sha256.lower())
