/** The red banners: what does not hold together in the history, in a sentence each, until a person has seen it. */

import type { JSX } from "preact";
import type { Door } from "../household/door";
import type { DoorView, Trouble } from "../household/record";
import { T } from "../texts";
import { fullTime, Icon } from "./shown";

export function troubleText({ what, index }: Trouble): string {
  return what === "missing" ? T.verify.missingFault(index) : T.verify[what](index);
}

export function Banner({ door, view }: { door: Door; view: DoorView }): JSX.Element | null {
  if (view.removed)
    return (
      <p class="banner" role="alert">
        <Icon name="alarm" /> {T.pair.removed}
      </p>
    );
  if (view.record.faults.length === 0) return null;
  return (
    <div class="banner" role="alert">
      <h2>
        <Icon name="alarm" /> {T.verify.title}
      </h2>
      {view.record.faults.map((trouble) => (
        <div class="trouble" key={`${trouble.what}${trouble.index}`}>
          <p>
            {troubleText(trouble)} <span class="small">{fullTime(trouble.seen)}</span>
          </p>
          <button onClick={() => void door.putAway(trouble)}>{T.verify.putAway}</button>
        </div>
      ))}
    </div>
  );
}
