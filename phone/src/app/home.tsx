/** The first screen: how the door is, and who was there last. */

import type { JSX } from "preact";
import type { Door } from "../household/door";
import type { DoorView } from "../household/record";
import { T } from "../texts";
import { dayOf, doorTime, fullTime, Icon, Picture, Screen, timeOf } from "./shown";
import { names } from "./live";
import { visitLine } from "./history";
import { PocketNotice } from "./pocket";

export function Home({ door, view }: { door: Door; view: DoorView }): JSX.Element {
  const last = view.visits[0];
  const { me } = door.asking; // does not look any more: its session is just ending at the door
  const others = names(view, view.watching.filter((id) => id !== me), me);
  const problems = view.health?.problems.length ?? 0;
  const well = isThere(view) && !view.removed ? T.door.well : T.door.wasWell;
  const silent = view.record.silentUntil > Date.now();
  return (
    <Screen title={view.record.name}>
      <Presence view={view} />
      <PocketNotice door={door} view={view} />
      {view.answers && view.recording !== false && (
        <a class="button primary wide" href={`#/live/${view.record.door}`}>
          <Icon name="eye" /> {T.live.watch}
        </a>
      )}
      {last ? (
        <a class="card last" href={`#/visit/${view.record.door}/${last.id}`}>
          <Picture door={door} visit={last.id} alt="" version={view} />
          <div class="about">
            <span class="small">{T.door.latest}</span>
            <strong>{visitLine(last)}</strong>
            <span>
              {T.visit.when(dayOf(last.at).name, doorTime(last.at, last.synced))}
            </span>
          </div>
        </a>
      ) : (
        <div class="card empty">
          <Icon name="door" />
          <strong>{view.joinedLater ? T.door.quietSince : T.door.quiet}</strong>
          <span>{view.joinedLater ? T.history.from : T.door.quietMore}</span>
        </div>
      )}
      <ul class="facts">
        <li>
          <a href="#/health">
            <Icon name={problems ? "alarm" : "heart"} />
            <span>{problems ? T.door.unwell(problems) : view.health ? well : T.health.title}</span>
            <Icon name="next" />
          </a>
        </li>
        <li>
          <a href="#/privacy">
            <Icon name="shield" />
            <span>{view.verifiedTo ? T.verify.good(view.verifiedTo) : T.verify.none}</span>
            <Icon name="next" />
          </a>
        </li>
        {others.length > 0 && (
          <li>
            <span class="told" role="status">
              <Icon name="eye" />
              <span>{T.live.watching(others)}</span>
            </span>
          </li>
        )}
        {view.missing > 0 && (
          <li>
            <span class="told">
              <Icon name="alarm" />
              <span>{T.verify.missing(view.missing)}</span>
            </span>
          </li>
        )}
        {silent && (
          <li>
            <button onClick={() => void door.silence(0)}>
              <Icon name="bell" />
              <span>{T.door.silentUntil(timeOf(view.record.silentUntil))}</span>
              <em>{T.door.unsilence}</em>
            </button>
          </li>
        )}
      </ul>
      {view.recording === false && <p class="note">{T.door.recordingOff}</p>}
    </Screen>
  );
}

function isThere(view: DoorView): boolean {
  return view.link === "online" && view.door === "online";
}

function Presence({ view }: { view: DoorView }): JSX.Element {
  const good = isThere(view);
  const text = view.link === "online" ? T.door[view.door] : T.link[view.link];
  const how = good ? "good" : view.link === "connecting" || (view.link === "online" && view.door === "unknown") ? "wait" : "bad";
  return (
    <p class={`presence ${how}`} role="status">
      {text}
      {!good && view.heardAt > 0 && <span class="small"> {T.door.heard(fullTime(view.heardAt))}</span>}
    </p>
  );
}
