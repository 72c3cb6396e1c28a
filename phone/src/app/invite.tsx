/** An admin lets a further phone in: shows the QR, checks who asks, and signs the next roster. */

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { type Bytes, unbase64 } from "../door/bytes";
import { recipientPoint } from "../door/identity";
import { Refused } from "../door/refused";
import { knownRoster, type Member, nextRoster } from "../door/roster";
import { NO_PHONE, toPaste, type Ticket, writeTicket } from "../door/ticket";
import type { Door } from "../household/door";
import type { House } from "../household/house";
import { membersWith, whoAsks } from "../household/joining";
import { T } from "../texts";
import { Code } from "./code";
import { sentence } from "./shown";

const LOOK_MS = 2000;

export function Invite({ door, house, done }: { door: Door; house: House; done: (said: string) => void }): JSX.Element {
  const [shown, setShown] = useState<{ ticket: Ticket; bytes: Bytes } | null>(null);
  const [asks, setAsks] = useState<Member | null>(null);
  const [said, setSaid] = useState("");
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let secret: Bytes | null = null;
    let ends = 0;
    const look = async (): Promise<void> => {
      try {
        if (secret && Date.now() > ends) return done(T.pair.over);
        const { result } = await door.asking.ask("pairing", { open: true });
        const told = unbase64(result["secret"]);
        if (told?.length !== 16) throw new Refused("damaged");
        if (!secret) {
          secret = told;
          ends = Date.now() + Number(result["seconds"]) * 1000;
          setShown(ticketOf(door, secret));
        }
        const who = whoAsks(result, secret);
        if (who) return setAsks(who);
      } catch (error) {
        if (!(error instanceof Refused) || !["silence", "offline", "counter"].includes(error.word)) return done(sentence(error));
        setSaid(sentence(error));
      }
      timer = setTimeout(() => void look(), LOOK_MS);
    };
    void look();
    return () => clearTimeout(timer);
  }, [door]);
  const letIn = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const role = new FormData(event.currentTarget as HTMLFormElement).has("admin") ? "admin" : "member";
    try {
      const present = knownRoster(door.view.record.roster);
      const document = await nextRoster(present, membersWith(present, { ...asks!, role }), house.keys!.signer);
      await door.asking.ask("roster", { document });
      await door.greet();
      done(T.pair.isIn(asks!.name));
    } catch (error) {
      setSaid(sentence(error));
    }
  };
  const close = async (): Promise<void> => {
    try {
      await door.asking.ask("pairing", { open: false });
      done("");
    } catch (error) {
      done(sentence(error));
    }
  };
  return (
    <div class="card" aria-live="polite">
      {asks ? (
        <form onSubmit={(event) => void letIn(event)}>
          <p>
            <strong>{T.pair.asks(asks.name)}</strong>
          </p>
          <label>
            <input type="checkbox" name="admin" class="check" /> {T.pair.asAdmin}
          </label>
          <div class="row">
            <button type="button" onClick={() => void close()}>
              {T.pair.refuse}
            </button>
            <button class="primary">{T.pair.let}</button>
          </div>
        </form>
      ) : (
        <>
          {shown && <Code ticket={shown.bytes} />}
          <p>{T.pair.inviteLead}</p>
          <div class="row">
            <button onClick={() => void close()}>{T.pair.cancel}</button>
            {shown && (
              <button onClick={() => void navigator.clipboard.writeText(toPaste(shown.ticket)).then(() => setSaid(T.pair.copied))}>{T.pair.copy}</button>
            )}
          </div>
        </>
      )}
      <p role="status">{said}</p>
    </div>
  );
}

/** A login that is not this phone's own is the whole household's, and goes along. */
function ticketOf(door: Door, secret: Bytes): { ticket: Ticket; bytes: Bytes } {
  const { record } = door.view;
  const owner = knownRoster(record.roster).members[0]!;
  const shared = record.login !== "" && record.login !== door.asking.me;
  const ticket = {
    ...{ ...NO_PHONE, owner: recipientPoint(owner.recipient)!, ownerVerifyKey: owner.verifyKey, secret, door: record.door },
    ...{ broker: record.broker.replace(/\/$/, ""), login: shared ? record.login : "", password: shared ? record.password : "" },
  };
  return { ticket, bytes: writeTicket(ticket) };
}
