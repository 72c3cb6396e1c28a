/** A phone comes in by the owner's words, when every other is lost: where the door is. The words are asked for when it was found. */

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { memberId, secretFromAge, secretFromWords } from "../door/identity";
import { Refused } from "../door/refused";
import type { House } from "../household/house";
import { sourceOf } from "../link/address";
import { T } from "../texts";
import { MyLogin } from "./login";
import { Icon, Screen, sentence } from "./shown";

export function Recover({ house }: { house: House }): JSX.Element {
  const [said, setSaid] = useState("");
  const [door, setDoor] = useState("front");
  const add = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const field = (name: string): string => String(form.get(name) ?? "").trim();
    try {
      const broker = brokerUrl(field("broker"));
      if (!/^[a-z0-9-]{1,32}$/.test(door)) throw new Refused("door_id");
      const { signer } = await house.ready();
      const password = field("phonePassword");
      const login = field("login") || (password ? memberId(signer.verifyKey) : "");
      const joining = { secret: null, name: field("me") || T.pair.meDefault, ticket: null, words: false, step: "looking" as const };
      await house.add({ door, broker, name: field("name") || T.add.nameDefault, login, password }, joining);
      location.hash = `#/door/${door}`;
      location.reload();
    } catch (error) {
      setSaid(sentence(error));
    }
  };
  return (
    <Screen title={T.recover.title} back="#/add">
      <p class="note">
        <Icon name="shield" /> {T.recover.lead} {T.recover.next}
      </p>
      <form class="card" onSubmit={(event) => void add(event)}>
        <label>
          <span>{T.add.broker}</span>
          <input name="broker" type="url" required inputMode="url" autocomplete="off" defaultValue={atHome()} aria-describedby="broker-hint" />
          <span class="small" id="broker-hint">
            {T.add.brokerHint}
          </span>
        </label>
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
        <MyLogin house={house} door={door} />
        <label>
          <span>{T.add.login}</span>
          <input name="login" autocapitalize="off" autocomplete="off" aria-describedby="login-hint" />
          <span class="small" id="login-hint">
            {T.add.loginHint}
          </span>
        </label>
        <p role="alert" class="wrong">
          {said}
        </p>
        <button class="primary">{T.recover.go}</button>
      </form>
    </Screen>
  );
}

/** The 32 bytes of words or key. Raises Refused. */
export async function readSecret(text: string): Promise<Uint8Array> {
  if (/AGE-SECRET-KEY-|age1/.test(text)) return secretFromAge(text);
  const { wordlist } = await import("@scure/bip39/wordlists/english.js");
  return secretFromWords(text, wordlist);
}

/** Raises Refused. */
export function brokerUrl(text: string): string {
  if (sourceOf(text)) return new URL(text).href;
  throw new Refused("broker");
}

/** Where the demo's broker listens; elsewhere a person has to know. */
export function atHome(): string {
  return location.hostname === "localhost" || location.hostname === "127.0.0.1" ? `ws://${location.hostname}:9001` : "";
}
