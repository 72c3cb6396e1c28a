/** The timeline by day. */

import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import type { Door } from "../household/door";
import type { DoorView } from "../household/record";
import type { Visit } from "../household/story";
import { T } from "../texts";
import { Rows } from "./rows";
import { dayKey, dayOf, doorTime, Icon, Picture, playTime, Screen } from "./shown";

type Filter = "all" | "rings" | "seen";

type Row = { readonly day: string } | { readonly visit: Visit } | { readonly end: true };

const DAY_REM = 3;
const VISIT_REM = 6.5;
const END_REM = 5;

export function visitLine(visit: Visit): string {
  return visit.rings > 0 ? T.history.rang(visit.rings) : T.history.walked;
}

export function clipLine(visit: Visit): string {
  const clip = visit.clips.at(-1);
  if (!clip) return T.history.noClip;
  if (clip.state === "kept") return T.history.clip(playTime(clip.seconds));
  return T.history[clip.state];
}

/** *joinedLater*: history was there before this phone. */
export function rowsOf(visits: readonly Visit[], filter: Filter, joinedLater: boolean): Row[] {
  const rows: Row[] = [];
  let day = "";
  for (const visit of visits) {
    if (filter === "rings" && visit.rings === 0) continue;
    if (filter === "seen" && visit.rings > 0) continue;
    const key = dayKey(visit.at);
    if (key !== day) rows.push({ day: dayOf(visit.at).name });
    day = key;
    rows.push({ visit });
  }
  if (rows.length > 0 && joinedLater) rows.push({ end: true });
  return rows;
}

export function History({ door, view }: { door: Door; view: DoorView }): JSX.Element {
  const [filter, setFilter] = useState<Filter>("all");
  const rows = useMemo(() => rowsOf(view.visits, filter, view.joinedLater), [view.visits, filter, view.joinedLater]);
  return (
    <Screen title={T.history.title}>
      <fieldset class="filter">
        <legend class="unseen">{T.history.filter}</legend>
        {(["all", "rings", "seen"] as const).map((one) => (
          <label key={one} class={filter === one ? "on" : ""}>
            <input type="radio" name="filter" checked={filter === one} onChange={() => setFilter(one)} />
            {T.history[one]}
          </label>
        ))}
      </fieldset>
      {rows.length > 0 ? (
        <Rows
          rows={rows}
          id={(row, place) => ("visit" in row ? row.visit.id : place)}
          height={(row) => ("day" in row ? DAY_REM : "visit" in row ? VISIT_REM : END_REM)}
          draw={(row) =>
            "visit" in row ? <VisitRow visit={row.visit} door={door} view={view} /> : "day" in row ? <h2>{row.day}</h2> : <p class="hint">{T.history.from}</p>
          }
        />
      ) : (
        <div class="card empty">
          <Icon name="history" />
          <strong>{view.visits.length > 0 ? T.history.noMatch : T.history.empty}</strong>
          {view.joinedLater && <span>{T.history.from}</span>}
        </div>
      )}
    </Screen>
  );
}

function VisitRow({ visit, door, view }: { visit: Visit; door: Door; view: DoorView }): JSX.Element {
  const bad = visit.clips.some((clip) => clip.state === "vanished");
  return (
    <a class={`visit ${bad ? "bad" : ""}`} href={`#/visit/${view.record.door}/${visit.id}`}>
      <Picture door={door} visit={visit.id} alt="" version={view.entries} />
      <span class="about">
        <strong>
          <Icon name={visit.rings > 0 ? "bell" : "person"} /> {visitLine(visit)}
        </strong>
        <span class="small">
          <time dateTime={visit.at} title={visit.synced ? "" : T.history.unsynced}>
            {doorTime(visit.at, visit.synced)}
          </time>
        </span>
        <span class="small">{clipLine(visit)}</span>
      </span>
    </a>
  );
}
