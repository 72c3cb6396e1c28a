"""``doorbell card``: from a stock Raspberry Pi OS to a card that makes itself a door."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from doorbell.errors import Mistake

if TYPE_CHECKING:
    from doorbell.card.contents import Card
    from doorbell.card.volume import Volume
    from doorbell.card.wishes import Broker, Wishes
    from doorbell.owner.identity import Identity
    from doorbell.pairing import Invitation
    from doorbell.ticket import Ticket

FILE = click.Path(path_type=Path, readable=False)
NOT_TRIED = (
    "THE 24 WORDS WERE NOT TRIED: the key's file opened it. A word that is wrong on your paper shows when the file is\n"
    "lost, and then no clip opens. Try them: the same command with --prove words."
)


@click.command()
@click.option("--image", type=FILE, help="Raspberry Pi OS Lite as downloaded, .img.xz or .img; it is only read.")
@click.option("--out", type=FILE, help="The new image to make of it.  [default: doorbell-DOOR.img]")
@click.option("--boot", type=FILE, help="Instead: the mounted boot volume of a card with Raspberry Pi OS on it.")
@click.option("--door", help="The door's id: a to z, 0 to 9 and -.  [default: front]")
@click.option("--name", help="The door's name, for people.  [default: Front door]")
@click.option("--wifi", help="The Wi-Fi's name; its password is asked for, or in --secrets.")
@click.option("--country", help="Where the Wi-Fi stands: DE, GB, US …")
@click.option("--wpa3", is_flag=True, help="The Wi-Fi takes WPA3 alone (the password itself then goes onto the card).")
@click.option("--hidden", is_flag=True, help="The Wi-Fi does not tell its name.")
@click.option("--ethernet", is_flag=True, help="The door has a cable and no Wi-Fi.")
@click.option("--broker", help="mqtts://HOST[:PORT], or mqtt:// without TLS.")
@click.option("--no-broker", is_flag=True, help="The door rings its chime, and no phone.")
@click.option("--login", help="The door's login at the broker; empty for none.  [default: the door's id]")
@click.option("--ca", type=FILE, help="The broker's authority, a PEM file, where it is not a public one.")
@click.option("--pin", help="Or the SHA-256 of the broker's certificate, 64 hex digits.")
@click.option("--phone-broker", help="The broker as phones reach it: wss://HOST[:PORT][/PATH].  [default: port 8884]")
@click.option("--timezone", help="Europe/Berlin …  [default: this computer's]")
@click.option(
    "--ssh-key", type=FILE, help="A public key (.pub): the user pi may log in with it. Without: no SSH at all."
)
@click.option("--chime", is_flag=True, help="A chime is wired, to GPIO22. Another number: --settings.")
@click.option("--led", is_flag=True, help="An LED or the button's ring is wired, to GPIO23.")
@click.option("--pir", is_flag=True, help="A motion sensor is wired, to GPIO27.")
@click.option("--settings", type=FILE, help="More of doorbell.toml: pins, camera, masks …")
@click.option("--secrets", type=FILE, help="A file of yours alone with wifi_password = … and broker_password = …")
@click.option("--no-updates", is_flag=True, help="No security updates of the system by themselves.")
@click.option("--folder", type=FILE, help="Where this door's key and sheet are kept here.  [default: ./doorbell-DOOR]")
@click.option("--identity", type=FILE, help="Your key, if you have one.  [default: owner-identity.txt in --folder]")
@click.option("--deb", type=FILE, help="The door's package.  [default: made from this checkout]")
@click.option("--new", is_flag=True, help="A new enrolment: sheets printed before are void.")
@click.option(
    "--prove",
    type=click.Choice(["words", "some", "file"]),
    help="Open the test clip with all words, four of them, or the key's file.  [default: words for a new key]",
)
@click.option(
    "--yes",
    is_flag=True,
    help="Ask nothing: what is missing is an error. The key's file opens the test clip, for a new key only by --prove.",
)
def card(image: Path | None, out: Path | None, boot: Path | None, **options: Any) -> None:  # noqa: ANN401
    """Write a card that makes itself a door at its first boot: no SSH, no keyboard, no root.

    The key that opens your clips stays on this computer. The card gets its public half, the Wi-Fi, the broker's login
    and a secret by which one phone may join; the door takes these at its first boot and wipes them off. If the card
    gets lost before: change the passwords, and write another one with --new.
    """  # fmt: skip
    import time

    from attrs import evolve

    from doorbell.card import before, enrolled, package, proof
    from doorbell.card.ask import prove
    from doorbell.card.contents import settings

    _need_desk()
    if (image is None) == (boot is None):
        raise Mistake("Give --image (a downloaded Raspberry Pi OS) or --boot (a card's mounted boot volume).")
    _look_first(image, boot)
    earlier = {} if boot is None else before.tables(_mounted(boot), given=options["settings"] is not None)
    wishes = _wishes(options)
    now = time.time()
    place = options["folder"] or Path(f"doorbell-{wishes.door}")
    key, new, how = _key(place, options)
    enrolled.make_folder(place)
    owner = enrolled.identity(key, now)
    if boot is not None:
        before.same_owner(earlier, str(owner.recipient))
        if options["settings"] is None:
            wishes = evolve(wishes, settings=before.own(earlier))
    wishes = _with_parts(wishes, options)
    deb = package.package(options["deb"])
    text = settings(wishes, str(owner.recipient))
    click.echo(_pins(text))
    if new:
        _show_words(owner, key, clear=how != "file")
    ticket = None if wishes.broker is None else _ticket(wishes, wishes.broker, owner, options["phone_broker"])
    test = proof.sealed_clip(text)
    prove(test, owner, how)
    click.echo("A test clip was sealed to this door's key and opened again with yours.")
    if new and how == "file":
        click.echo(NOT_TRIED)
    invitation = enrolled.invitation(place, owner, now, anew=options["new"])
    filled = _filler(wishes, owner, invitation, deb, int(now))
    if image is not None:
        written = _into_image(image, out or Path(f"doorbell-{wishes.door}.img"), wishes, filled)
    else:
        assert boot is not None
        written = _onto(_mounted(boot), wishes, filled)
    _list(written, place)
    if ticket is None:
        click.echo("\nWithout a broker no phone can join: write the card again with --broker when you have one.")
    else:
        _show(evolve(ticket, secret=invitation.secret), wishes.name, place, invitation.until)
    click.echo(
        "\nPut the card into the door and give it power; the first start takes 10 to 20 minutes and needs internet.\n"
        "The passwords stay on the card's boot volume until then. If the card gets lost before, change them and write\n"
        "a new one with --new. If something is wrong, DOORBELL-READ-ME.txt on that volume says what."
    )


def _need_desk() -> None:
    """What only the owner's computer has. Raises Mistake."""
    from importlib.util import find_spec

    missing = [name for name in ("segno", "mnemonic") if find_spec(name) is None]
    if missing:
        raise Mistake(f"{' and '.join(missing)} is missing here: pip install 'doorbell[desk]', on your own computer.")


def _may_ask(options: dict[str, Any]) -> bool:
    import sys

    return not options["yes"] and sys.stdin.isatty()


def _with_parts(wishes: Wishes, options: dict[str, Any]) -> Wishes:
    from attrs import evolve

    from doorbell.card.ask import FITTED, parts

    fitted, given = {part for part in FITTED if options[part]}, options["settings"] is not None
    return evolve(wishes, settings=parts(wishes.settings, fitted, given=given, may_ask=_may_ask(options)))


def _pins(text: str) -> str:
    """What the door will know of: a part that is wired and not named here stays silent."""
    from doorbell import configfile

    pins = configfile.parse(text).pins
    if pins.kind != "gpio":
        return "This door has no pins (pins.kind)."
    named = (("button", pins.button), ("chime", pins.chime), ("LED", pins.led), ("PIR", pins.pir))
    return "On pins: " + ", ".join(f"{name} GPIO{bcm}" if bcm else f"no {name}" for name, bcm in named) + "."


def _wishes(options: dict[str, Any]) -> Wishes:
    from attrs import fields_dict

    from doorbell.card.ask import Told, wishes

    given = {name: options[name] for name in fields_dict(Told) if name in options}
    return wishes(Told(**given, may_ask=_may_ask(options)))


def _key(place: Path, options: dict[str, Any]) -> tuple[Path, bool, str]:
    """The owner's key's file, whether it is new, and how the test clip is opened. Raises Mistake."""
    import os

    from doorbell.card.enrolled import IDENTITY, LIST

    key = options["identity"] or place / IDENTITY
    # A key whose words were never tried, because the first attempt was broken off, is as good as a new one.
    new = not os.path.lexists(key) or not (options["identity"] or (place / LIST).exists())
    if new and options["yes"] and not options["prove"]:
        raise Mistake(
            "This key is new, and a key whose 24 words nobody ever tried is a hope: run this once without --yes and "
            "type them, give a key that you have with --identity, or leave the words untried with --prove file."
        )
    return key, new, options["prove"] or ("words" if new else "file")


def _look_first(image: Path | None, boot: Path | None) -> None:
    """What can be refused before anybody was asked anything."""
    from doorbell.card import disk, system, volume
    from doorbell.card.unpack import beginning

    if image is not None:
        volume.need_mtools()
        disk.refuse_what_is_no_card(image.name, beginning(image, disk.SECTOR))
    elif boot is not None:
        click.echo(f"Found {system.recognised(_mounted(boot))}.")


def _mounted(boot: Path) -> Volume:
    from doorbell.card.volume import Folder

    if not boot.is_dir():
        raise Mistake(
            f"{boot} is no folder: give the place where the card's boot volume is mounted (it is named bootfs)."
        )
    return Folder(boot)


def _show_words(owner: Identity, file: Path, *, clear: bool) -> None:
    from doorbell.cli.keygen import table

    click.echo(f"\nYour new key: {file}. It opens every clip of this door; keep it off the card.\n")
    click.echo(table(owner.words().split()))
    click.echo(
        "\nThese 24 words are the same key. Write them on paper now, with their numbers: without the file and the"
    )
    click.echo("words nobody opens your clips again.")
    if clear:
        click.pause(
            "\nWhen they stand on paper, press any key; the screen is cleared, and you type them from the paper."
        )
        click.clear()


def _filler(
    wishes: Wishes, owner: Identity, invitation: Invitation, deb: tuple[str, bytes], now: int
) -> Callable[[Volume], Card]:
    """What makes the card's contents once its volume is known."""
    import os

    from doorbell.card.contents import card as contents
    from doorbell.card.system import CMDLINE

    def fill(volume: Volume) -> Card:
        instance = f"doorbell-{wishes.door}-{os.urandom(6).hex()}"
        cmdline = volume.read(CMDLINE) or b""
        return contents(wishes, str(owner.recipient), invitation, deb, cmdline, instance, now)

    return fill


def _into_image(image: Path, out: Path, wishes: Wishes, fill: Callable[[Volume], Card]) -> Card:
    from doorbell.card import disk, system, volume
    from doorbell.card.bars import bar
    from doorbell.card.unpack import unpacked

    _may_replace(out, image)
    with ExitStack() as stack:
        with bar(f"Unpacking {image.name}") as progress:
            part = stack.enter_context(unpacked(image, out, progress))
        fat = volume.Fat(part, disk.boot_partition(part, image.name))
        click.echo(f"Found {system.recognised(fat)}.")
        written = _onto(fat, wishes, fill)
    click.echo(
        f"\nThe card's image: {out}. Write it to a card of 8 GB or more with Raspberry Pi Imager (choose Use custom,"
    )
    click.echo(f"and No to its own settings), or: sudo dd if={out} of=/dev/YOUR-CARD bs=4M conv=fsync status=progress")
    return written


def _may_replace(out: Path, image: Path) -> None:
    """Only an image that this command made is written over."""
    import os

    from doorbell.card import disk, volume
    from doorbell.card.contents import HINT
    from doorbell.errors import DoorbellError

    if not os.path.lexists(out):
        return
    if not out.is_file() or out.samefile(image):
        raise Mistake(f"{out} is not a new file: choose another --out; the card itself is written afterwards.")
    try:
        ours = volume.Fat(out, disk.boot_partition(out)).read(HINT) is not None
    except DoorbellError:
        ours = False
    if not ours:
        raise Mistake(f"{out} exists and was not made by this command: choose another --out, or remove it.")


def _onto(volume: Volume, wishes: Wishes, fill: Callable[[Volume], Card]) -> Card:
    from doorbell.card import write
    from doorbell.card.bars import bar

    before = write.door_on(volume)
    if before not in ("", wishes.door):
        raise Mistake(
            f"This card is for the door {before}: give --door {before}, or delete the folder doorbell on it first."
        )
    filled = fill(volume)
    with bar("Writing, and reading back") as progress:
        steps = iter(range(1, 2 * len(filled.files) + 1))
        write.put(volume, filled, lambda _: progress(next(steps), 2 * len(filled.files)))
    return filled


def _list(written: Card, place: Path) -> None:
    from doorbell import durable
    from doorbell.card import manifest
    from doorbell.card.enrolled import LIST

    listed = manifest.read(written.files[manifest.NAME])
    click.echo(f"\nWritten and read back, {len(listed) + 1} files (SHA-256, also in {place / LIST}):")
    for path, digest in listed.items():
        click.echo(f"  {digest[:16]}…  {path}")
    durable.replace(place / LIST, written.files[manifest.NAME])


def _ticket(wishes: Wishes, broker: Broker, owner: Identity, address: str | None) -> Ticket:
    """What a phone is shown, but for the invitation's secret: whatever is wrong with it is known before anything is
    written. Raises Mistake."""
    from doorbell.ticket import SECRET, Ticket, written

    host = f"[{broker.host}]" if ":" in broker.host else broker.host
    address = address or f"{'wss' if broker.kind == 'mqtts' else 'ws'}://{host}:8884"
    try:
        ticket = Ticket(owner.recipient.key, owner.verify_key, bytes(SECRET), wishes.door, address)
        written(ticket)
    except ValueError:
        raise Mistake("--phone-broker is wss://HOST, wss://HOST:PORT/PATH, or ws:// at home.") from None
    return ticket


def _show(ticket: Ticket, name: str, place: Path, ends: int) -> None:
    from datetime import UTC, datetime

    from doorbell import durable
    from doorbell.card.enrolled import SHEET
    from doorbell.card.sheet import in_terminal, svg

    until = f"{datetime.fromtimestamp(ends, UTC).astimezone():%-d %B %Y}"
    durable.replace(place / SHEET, svg(ticket, name, until).encode())
    click.echo(
        f"\nFor the phone, good once and until {until}: let the app look at this code, or print {place / SHEET}."
    )
    click.echo(f"It finds the broker at {ticket.broker} (--phone-broker names another).\n")
    click.echo(in_terminal(ticket))
