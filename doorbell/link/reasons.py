"""Why there is no connection to the broker, in a sentence with the fix. No login and no payload is ever in one."""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING

from doorbell.errors import DeviceError

if TYPE_CHECKING:
    from paho.mqtt.reasoncodes import ReasonCode

UNSUPPORTED_VERSION, BAD_LOGIN, NOT_AUTHORISED, QUOTA_EXCEEDED = 132, 134, 135, 151

_WHY = {
    # X509_V_ERR_* of OpenSSL's x509_vfy.h
    9: "is not valid yet: check the door's clock, which may not have been set since it started",
    10: "has expired: renew it at the broker",
    18: "is self-signed: give the broker's own authority as mqtt.ca_file, or pin the certificate (mqtt.pin_sha256)",
    19: "comes from an unknown authority: give that authority's certificate as mqtt.ca_file",
    20: "comes from an unknown authority: give that authority's certificate as mqtt.ca_file",
    21: "comes from an unknown authority: give that authority's certificate as mqtt.ca_file",
    62: "is for another host: give mqtt.host as the certificate names it",
    64: "is for another address: give mqtt.host as the certificate names it",
}


def refusal(reason: ReasonCode, where: str) -> str:
    """The broker's CONNACK said no."""
    if reason.value in (BAD_LOGIN, NOT_AUTHORISED):
        return f"The broker at {where} refused the login: check mqtt.username and the password."
    return f"The broker at {where} refused the connection ({reason.getName()})."


def ending(reason: ReasonCode | None, where: str) -> str:
    """The connection was there and ended; *reason* is what the broker or paho said, if anything."""
    if reason is None or not reason.is_failure:
        return f"The broker at {where} closed the connection."
    if reason.getName() == "Session taken over":
        return "Another client uses this door's id at the broker: give each door its own door.id."
    return f"The connection to the broker at {where} ended ({reason.getName()})."


def check_name(host: str) -> None:
    """Raise DeviceError for a name that no resolver may be asked for (and at which Python's raises no OSError)."""
    try:
        fits = bool(host) and not host.startswith(".") and "\0" not in host and bool(host.encode("idna"))
    except UnicodeError:
        fits = False
    if not fits:
        raise DeviceError("mqtt.host is no host name: give the broker's name or address.")


def sentence(error: OSError, where: str) -> str:
    """Why there is no connection to *where*, and the fix."""
    if isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError):
        return tls_sentence(error, where)
    if isinstance(error, socket.gaierror):
        return f"The name in {where} cannot be found: check mqtt.host and the door's network."
    if isinstance(error, ConnectionRefusedError):
        return f"Nothing listens at {where}: start the broker, or check mqtt.host and mqtt.port."
    if isinstance(error, (ConnectionResetError, ssl.SSLEOFError)):
        return f"{where} broke off the first words: check mqtt.port, and that mqtt.tls is as the broker has it there."
    if isinstance(error, TimeoutError):
        return f"Nothing answers at {where}: check mqtt.host, mqtt.port and the network between."
    return f"No connection to {where} ({error.strerror or type(error).__name__}): check the door's network."


def tls_sentence(error: ssl.SSLError, where: str) -> str:
    """What is wrong with the handshake with *where*, and the fix."""
    if isinstance(error, ssl.SSLCertVerificationError):
        why = _WHY.get(error.verify_code, f"is not trusted ({error.verify_message})")
        return f"The certificate of {where} {why}."
    reason = error.reason or ""
    if reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST"):
        return f"No TLS is spoken at {where}: check mqtt.port (8883 is usual for TLS)."
    if reason in ("UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION", "NO_PROTOCOLS_AVAILABLE"):
        return f"The broker at {where} speaks no TLS 1.2 or newer: allow it there."
    return f"The TLS handshake with {where} failed ({reason or 'no reason given'}): check the broker's TLS settings."
