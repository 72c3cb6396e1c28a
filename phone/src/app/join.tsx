/** A phone joins by a QR that it scans, or by its text. */

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { memberId, recipientText } from "../door/identity";
import { Refused } from "../door/refused";
import { isForDoor, type Ticket, ticketFrom } from "../door/ticket";
import type { House } from "../household/house";
import { sourceOf } from "../link/address";
import { T } from "../texts";
import { MyLogin } from "./login";
import { Scan } from "./scan";
import { Screen, sentence } from "./shown";

export function Join({ house, given }: { house: House; given: string }): JSX.Element {
  const first = read(given);
  const [ticket, setTicket] = useState<Ticket | null>(first.ticket);
  const [said, setSaid] = useState(given ? first.said : "");
  const [scanning, setScanning] = useState(false);
  const take = (text: string): void => {
    const { ticket: found, said: why } = read(text);
    setScanning(false);
    setTicket(found);
    setSaid(why);
  };
  const join = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const password = String(form.get("phonePassword") ?? "");
    try {
      const { door, broker, secret, login } = ticket!;
      const keys = await house.ready();
      const mine = login ? { login, password: ticket!.password } : { login: password ? memberId(keys.signer.verifyKey) : "", password };
      const owner = { recipient: recipientText(ticket!.owner), verifyKey: ticket!.ownerVerifyKey };
      const joining = { secret, name: String(form.get("me")).trim() || T.pair.meDefault, ticket: null, words: true, step: "looking" as const };
      const name = house.doors.length > 0 ? door : T.add.nameDefault; // two tabs of one name tell nothing
      await house.add({ door, broker, name, owner, ...mine }, joining);
      location.hash = `#/door/${door}`;
      location.reload();
    } catch (error) {
      setSaid(sentence(error));
    }
  };
  return (
    <Screen title={T.pair.join} back="#/add">
      {scanning && <Scan found={take} close={() => setScanning(false)} />}
      {!ticket && !scanning && (
        <form
          class="card"
          onSubmit={(event) => {
            event.preventDefault();
            take(String(new FormData(event.currentTarget).get("text") ?? ""));
          }}
        >
          <button type="button" class="primary" onClick={() => setScanning(true)}>
            {T.pair.scan}
          </button>
          <label>
            <span>{T.pair.paste}</span>
            <textarea name="text" rows={5} required autocomplete="off" autocapitalize="off" spellcheck={false} />
          </label>
          <button>{T.pair.go}</button>
        </form>
      )}
      {ticket && (
        <form class="card" onSubmit={(event) => void join(event)}>
          <p>
            <strong>{T.pair.found(ticket.door, ticket.broker)}</strong>
          </p>
          {ticket.login ? (
            <label>
              <span>{T.pair.me}</span>
              <input name="me" required maxLength={32} defaultValue={T.pair.meDefault} autocomplete="off" />
            </label>
          ) : (
            <MyLogin house={house} door={ticket.door} />
          )}
          <button class="primary">
            {T.pair.ask}
          </button>
        </form>
      )}
      <p role="alert" class="wrong">
        {said}
      </p>
    </Screen>
  );
}

function read(text: string): { ticket: Ticket | null; said: string } {
  if (!text) return { ticket: null, said: "" };
  try {
    const ticket = ticketFrom(text);
    if (isForDoor(ticket)) throw new Refused("qr_door");
    if (!sourceOf(ticket.broker)) throw new Refused("broker");
    return { ticket, said: "" };
  } catch (error) {
    return { ticket: null, said: sentence(error) };
  }
}
