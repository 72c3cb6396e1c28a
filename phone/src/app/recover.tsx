/** A door comes to this phone: by the owner's words or key, which become keys that cannot be taken out again. */

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { secretFromAge, secretFromWords } from "../door/identity";
import { Refused } from "../door/refused";
import type { House } from "../household/house";
import { ownerKeys } from "../keep/keys";
import { sourceOf } from "../link/address";
import { T } from "../texts";
import { Icon, Screen, sentence } from "./shown";

export function Recover({ house }: { house: House }): JSX.Element {
  const [said, setSaid] = useState("");
  const [busy, setBusy] = useState(false);
  const known = house.doors.length > 0;
  const add = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const field = (name: string): string => (form.elements.namedItem(name) as HTMLInputElement | null)?.value.trim() ?? "";
    setBusy(true);
    try {
      const broker = brokerUrl(field("broker"));
      const door = field("door");
      if (!/^[a-z0-9-]{1,32}$/.test(door)) throw new Refused("door_id");
      const kept = known ? null : await ownerKeys(await readSecret(field("secret")));
      await house.add(kept, { door, broker, name: field("name") || T.add.nameDefault, login: field("login"), password: field("password") });
      location.hash = "#/";
      location.reload();
    } catch (error) {
      setSaid(sentence(error));
      setBusy(false);
    }
  };
  return (
    <Screen title={T.add.title} back="#/add">
      <p class="note">
        <Icon name="shield" /> {T.add.lead}
      </p>
      <form class="card" onSubmit={(event) => void add(event)}>
        {!known && (
          <label>
            <span>{T.add.secret}</span>
            <textarea name="secret" rows={4} required autocomplete="off" autocapitalize="off" spellcheck={false} />
          </label>
        )}
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
            <input name="door" required defaultValue="front" autocapitalize="off" autocomplete="off" />
          </label>
          <label>
            <span>{T.add.name}</span>
            <input name="name" maxLength={32} defaultValue={T.add.nameDefault} autocomplete="off" />
          </label>
        </div>
        <div class="pair">
          <label>
            <span>{T.add.login}</span>
            <input name="login" autocapitalize="off" autocomplete="off" />
          </label>
          <label>
            <span>{T.add.password}</span>
            <input name="password" type="password" autocomplete="off" />
          </label>
        </div>
        <p role="alert" class="wrong">
          {said}
        </p>
        <button class="primary" disabled={busy}>
          {T.add.go}
        </button>
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
