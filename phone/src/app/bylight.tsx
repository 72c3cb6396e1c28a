/** A new door that nobody has paired: the owner's words, the broker, and then the QR that its camera reads. */

import { ed25519 } from "@noble/curves/ed25519.js";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { type Bytes, unhex } from "../door/bytes";
import { memberId, recipientOf, recipientPoint, wordsOf } from "../door/identity";
import { Refused } from "../door/refused";
import { writeTicket } from "../door/ticket";
import type { House } from "../household/house";
import { T } from "../texts";
import { MyLogin } from "./login";
import { type Owner, Paper } from "./paper";
import { atHome, brokerUrl } from "./recover";
import { Screen, sentence } from "./shown";

export function ByLight({ house }: { house: House }): JSX.Element {
  const [words, setWords] = useState<{ list: string[]; recipient: string } | null>(null);
  const [owner, setOwner] = useState<Owner | null>(null);
  const make = async (): Promise<void> => {
    const { wordlist } = await import("@scure/bip39/wordlists/english.js");
    const secret = crypto.getRandomValues(new Uint8Array(32));
    setWords({ list: wordsOf(secret, wordlist), recipient: recipientOf(secret) });
  };
  if (owner) return <AtBroker house={house} owner={owner} />;
  return (
    <Screen title={T.pair.owner} back="#/add">
      <p class="note">{T.pair.ownerLead}</p>
      {words ? (
        <div class="card">
          <p>{T.pair.write}</p>
          <ol class="wordlist">
            {words.list.map((word, place) => (
              <li key={place}>{word}</li>
            ))}
          </ol>
        </div>
      ) : (
        <p>
          <button onClick={() => void make()}>{T.pair.make}</button>
        </p>
      )}
      <Paper recipient={words?.recipient ?? null} good={setOwner} />
    </Screen>
  );
}

function AtBroker({ house, owner }: { house: House; owner: Owner }): JSX.Element {
  const [said, setSaid] = useState("");
  const [door, setDoor] = useState("front");
  const show = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const field = (name: string): string => String(form.get(name) ?? "").trim();
    try {
      const keys = await house.ready();
      const broker = brokerUrl(field("broker"));
      const secret = crypto.getRandomValues(new Uint8Array(16));
      const verifyKey = ed25519.getPublicKey(owner.seed) as Bytes;
      const ticket = writeTicket({
        ...{ owner: recipientPoint(owner.recipient)!, ownerVerifyKey: verifyKey },
        ...{ phone: recipientPoint(keys.recipient)!, phoneVerifyKey: keys.signer.verifyKey, secret },
        ...{ brokerPin: pin(field("pin")), door: doorId(door), broker: doorBroker(field("doorBroker")) },
        ...{ login: field("doorLogin"), password: field("doorPassword") },
      });
      const password = field("phonePassword");
      const record = { door, broker, name: field("name") || T.add.nameDefault, login: password ? memberId(keys.signer.verifyKey) : "", password, owner: { recipient: owner.recipient, verifyKey } };
      // Whose words they are was shown by the test clip: nothing of the owner's key stays here.
      owner.secret.fill(0);
      owner.seed.fill(0);
      await house.add(record, { secret, name: field("me") || T.pair.meDefault, ticket, words: false, step: "looking" });
      location.hash = `#/door/${door}`;
      location.reload();
    } catch (error) {
      setSaid(sentence(error));
    }
  };
  return (
    <Screen title={T.pair.broker} back="#/add">
      <form class="card" onSubmit={(event) => void show(event)}>
        <div class="pair">
          <label>
            <span>{T.add.door}</span>
            <input name="door" required value={door} onInput={(event) => setDoor(event.currentTarget.value.trim())} autocapitalize="off" autocomplete="off" />
          </label>
          <label>
            <span>{T.add.name}</span>
            <input name="name" maxLength={32} defaultValue={T.add.nameDefault} autocomplete="off" />
          </label>
        </div>
        <label>
          <span>{T.pair.doorBroker}</span>
          <input name="doorBroker" required placeholder="mqtts://" autocapitalize="off" autocomplete="off" aria-describedby="door-broker" />
          <span class="small" id="door-broker">
            {T.pair.doorBrokerHint}
          </span>
        </label>
        <div class="pair">
          <label>
            <span>{T.pair.doorLogin}</span>
            <input name="doorLogin" defaultValue="front" autocapitalize="off" autocomplete="off" />
          </label>
          <label>
            <span>{T.pair.doorPassword}</span>
            <input name="doorPassword" type="password" autocomplete="off" />
          </label>
        </div>
        <label>
          <span>{T.pair.pin}</span>
          <input name="pin" autocapitalize="off" autocomplete="off" spellcheck={false} aria-describedby="pin" />
          <span class="small" id="pin">
            {T.pair.pinHint}
          </span>
        </label>
        <label>
          <span>{T.pair.phoneBroker}</span>
          <input name="broker" type="url" required inputMode="url" autocomplete="off" defaultValue={atHome()} />
        </label>
        <MyLogin house={house} door={door} />
        <p role="alert" class="wrong">
          {said}
        </p>
        <button class="primary">
          {T.pair.show}
        </button>
      </form>
    </Screen>
  );
}

function doorId(text: string): string {
  if (!/^[a-z0-9-]{1,32}$/.test(text)) throw new Refused("door_id");
  return text;
}

function doorBroker(text: string): string {
  if (!/^mqtts?:\/\//.test(text)) throw new Refused("door_broker");
  return text;
}

function pin(text: string): Bytes {
  const bytes = unhex(text.replace(/[:\s]/g, "").toLowerCase());
  if (text && bytes?.length !== 32) throw new Refused("pin");
  return text ? bytes! : (new Uint8Array(32) as Bytes);
}
