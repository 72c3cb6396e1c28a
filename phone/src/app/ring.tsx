/** The ring: full screen, over everything else. It waits closed, all its parts made: what is left is to open it. */

import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { Door } from "../household/door";
import type { DoorView } from "../household/record";
import { T } from "../texts";
import { Icon, Picture, timeOf } from "./shown";
import { ringOut } from "./sound";

const HOUR_MS = 3_600_000;

export function Ring({ door, view }: { door: Door; view: DoorView }): JSX.Element {
  const { ringing } = view;
  const box = useRef<HTMLDialogElement>(null);
  // At once: an effect would wait for a frame in which nothing is to be seen yet. The sound takes longer to begin.
  useLayoutEffect(() => {
    if (!ringing) return;
    box.current!.showModal();
    return () => box.current?.close();
  }, [ringing?.visit]);
  useEffect(() => (ringing ? ringOut() : undefined), [ringing?.visit]);
  const look = (): void => {
    door.ignore();
    location.hash = view.recording === false ? `#/visit/${view.record.door}/${ringing!.visit}` : `#/live/${view.record.door}`;
  };
  return (
    <dialog ref={box} class="ring" onCancel={() => door.ignore()} aria-labelledby="who-rings">
      <p class="when">
        <Icon name="bell" /> {ringing && timeOf(ringing.heard)}
      </p>
      <h1 id="who-rings">{ringing?.kind === "test" ? T.ring.test : T.ring.title(view.record.name)}</h1>
      <div class="frame">{ringing && <Picture key={ringing.visit} door={door} visit={ringing.visit} alt={T.ring.alt} version={view} />}</div>
      {ringing && !ringing.ageKnown && <p class="hint">{T.ring.ageUnknown}</p>}
      <div class="answers">
        <button class="primary" onClick={look} autofocus>
          {T.ring.look}
        </button>
        <div class="row">
          <button onClick={() => void door.silence(Date.now() + HOUR_MS)}>{T.ring.silence}</button>
          <button onClick={() => door.ignore()}>{T.ring.ignore}</button>
        </div>
      </div>
    </dialog>
  );
}
