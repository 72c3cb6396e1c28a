/** The login of this phone at the broker: its member id, which a person adds there once. */

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { memberId } from "../door/identity";
import type { House } from "../household/house";
import { T } from "../texts";

/** Fields `me` and `phonePassword` of a form. */
export function MyLogin({ house, door }: { house: House; door: string }): JSX.Element {
  const [id, setId] = useState("");
  // The line gives this login its rights anew, so it names every door whose rights hang on it.
  const mine = house.doors.map(({ view }) => view.record).filter((one) => one.login === id).map((one) => one.door);
  const doors = [...new Set([...mine, door])].map((one) => ` --door ${one}`).join("");
  useEffect(() => void house.ready().then((keys) => setId(memberId(keys.signer.verifyKey))), [house]);
  return (
    <>
      <label>
        <span>{T.pair.me}</span>
        <input name="me" required maxLength={32} defaultValue={T.pair.meDefault} autocomplete="off" />
      </label>
      <label>
        <span>{T.pair.login}</span>
        <code class="command">{`doorbell broker-setup add phone ${id}${doors}`}</code>
        <span class="small">{T.pair.loginHint}</span>
      </label>
      <label>
        <span>{T.pair.password}</span>
        <input name="phonePassword" type="password" autocomplete="off" />
      </label>
    </>
  );
}
