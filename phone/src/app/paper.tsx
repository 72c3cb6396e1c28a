/** The paper with the owner's words is good: a test clip that was sealed to them opens with what somebody types. */

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Opener, seal } from "../door/age";
import { same } from "../door/bytes";
import { ageLine, recipientOf, signingSeed } from "../door/identity";
import { T } from "../texts";
import { readSecret } from "./recover";
import { sentence } from "./shown";

export interface Owner {
  readonly recipient: string;
  readonly secret: Uint8Array;
  readonly seed: Uint8Array;
}

/** *recipient*: to whom the test clip is sealed; none: to whoever the words are. */
export function Paper({ recipient, good }: { recipient: string | null; good: (owner: Owner) => void }): JSX.Element {
  const [said, setSaid] = useState("");
  const test = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const field = (event.currentTarget as HTMLFormElement).elements.namedItem("paper") as HTMLTextAreaElement;
    try {
      const secret = await readSecret(field.value);
      const clip = crypto.getRandomValues(new Uint8Array(4096));
      const sealed = await seal(clip, [recipient ?? recipientOf(secret)]);
      const { ending, plain } = await new Opener(ageLine(secret)).open(sealed);
      if (ending !== "opens" || !same(plain, clip)) return setSaid(T.pair.notOpened);
      field.value = "";
      setSaid(T.pair.opened);
      good({ recipient: recipientOf(secret), secret, seed: signingSeed(secret) });
    } catch (error) {
      setSaid(sentence(error));
    }
  };
  return (
    <form class="card" onSubmit={(event) => void test(event)}>
      <label>
        <span>{T.pair.type}</span>
        <textarea name="paper" rows={5} required autocomplete="off" autocapitalize="off" spellcheck={false} />
        <span class="small">{T.pair.typeLead}</span>
      </label>
      <button class="primary">{T.pair.test}</button>
      <p role="status">{said}</p>
    </form>
  );
}
