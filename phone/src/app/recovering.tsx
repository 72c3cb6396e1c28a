/** The owner's words let this phone in, and those out who are lost; then nothing of them stays. */

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Roster } from "../door/roster";
import type { Door } from "../household/door";
import { T } from "../texts";
import { readSecret } from "./recover";
import { sentence } from "./shown";

export function Recovering({ door }: { door: Door }): JSX.Element {
  const [present, setPresent] = useState<Roster | null>(null);
  const [said, setSaid] = useState("");
  const [busy, setBusy] = useState(false);
  useEffect(() => () => door.entering.forget(), [door]);
  const doing = async (event: SubmitEvent, what: (form: HTMLFormElement) => Promise<void>): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setSaid(T.recover.asking);
    try {
      await what(event.currentTarget as HTMLFormElement);
      setSaid("");
    } catch (error) {
      setSaid(sentence(error));
    }
    setBusy(false);
  };
  const words = async (form: HTMLFormElement): Promise<void> => {
    const field = form.elements.namedItem("words") as HTMLTextAreaElement;
    setPresent(await door.entering.words(await readSecret(field.value)));
    field.value = "";
  };
  const letIn = async (form: HTMLFormElement): Promise<void> => {
    const lost = new Set(new FormData(form).getAll("lost").map(String));
    try {
      await door.entering.letIn(present!, lost);
    } catch (error) {
      setPresent(null); // whatever it was, the door is asked anew
      throw error;
    }
  };
  const others = present?.members.slice(1).filter(({ id }) => id !== door.asking.me) ?? [];
  return (
    <>
      <p class="note">{T.recover.lead}</p>
      {present ? (
        <form class="card" onSubmit={(event) => void doing(event, letIn)}>
          <h2>{T.recover.who}</h2>
          <p class="small">{others.length > 0 ? T.recover.whoLead : T.recover.alone}</p>
          {others.map(({ id, name }) => (
            <label key={id}>
              <input type="checkbox" name="lost" value={id} class="check" /> {name}
            </label>
          ))}
          <p>{T.recover.begins}</p>
          <button class="primary" disabled={busy}>
            {T.recover.letIn}
          </button>
        </form>
      ) : (
        <form class="card" onSubmit={(event) => void doing(event, words)}>
          <label>
            <span>{T.recover.secret}</span>
            <textarea name="words" rows={5} required autocomplete="off" autocapitalize="off" spellcheck={false} />
          </label>
          <button class="primary" disabled={busy}>
            {T.recover.go}
          </button>
        </form>
      )}
      <p role="status">{said}</p>
    </>
  );
}
