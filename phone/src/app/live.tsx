/** What is before the door now; who else looks; and how old the picture is. */

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Refused } from "../door/refused";
import { knownRoster } from "../door/roster";
import type { Door } from "../household/door";
import type { DoorView } from "../household/record";
import { type Watched, Watching } from "../household/watching";
import { T } from "../texts";
import { Film } from "./film";
import { Icon, Screen, sentence } from "./shown";

const LOOK_EVERY_MS = 500;

export function Live({ door, view }: { door: Door; view: DoorView }): JSX.Element {
  const video = useRef<HTMLVideoElement>(null);
  const [watched, setWatched] = useState<Watched>({ state: "asking", why: "" });
  const [unplayable, setUnplayable] = useState(false);
  const [age, setAge] = useState<number | null>(null);
  const [awake, setAwake] = useState(!document.hidden);
  useEffect(() => {
    const look = (): void => setAwake(!document.hidden);
    document.addEventListener("visibilitychange", look);
    return () => document.removeEventListener("visibilitychange", look);
  }, []);
  const possible = view.answers && view.recording !== false && awake && !unplayable; // nobody is watched whom nobody sees
  useEffect(() => {
    if (!possible) return;
    const film = new Film(video.current!, () => setUnplayable(true));
    const watching = new Watching(door, (fragment) => film.take(fragment), setWatched);
    watching.start();
    const clock = setInterval(() => {
      const { uptime } = door;
      setAge(film.shownAt === null || uptime === null ? null : Math.max(0, uptime - film.shownAt));
    }, LOOK_EVERY_MS);
    return () => {
      clearInterval(clock);
      watching.close();
      film.close();
    };
  }, [door, possible]);
  const moves = possible && watched.state === "moves";
  return (
    <Screen title={T.live.title(view.record.name)} back="#/">
      <div class="frame live">
        <video class="picture" ref={video} muted playsInline autoplay aria-label={T.live.alt} />
        {moves ? (
          <p class="pill on">{age === null ? T.live.now : T.live.age(age)}</p>
        ) : (
          <div class="over" role="status">
            {possible && !["failed", "ended"].includes(watched.state) && <span class="turning" aria-hidden="true" />}
            <p>{unplayable ? T.live.unplayable : said(view, possible, watched)}</p>
          </div>
        )}
      </div>
      <Watchers door={door} view={view} />
      <a class="button wide" href="#/">
        {T.live.stop}
      </a>
      <p class="hint">{T.live.told}</p>
    </Screen>
  );
}

function said(view: DoorView, possible: boolean, { state, why }: Watched): string {
  if (view.recording === false) return T.live.off;
  if (!possible) return view.link === "online" ? T.door.notYet : T.link[view.link];
  if (state === "failed") return T.live.why[why] ?? sentence(new Refused(why));
  return T.live.states[state];
}

/** Member ids as the household calls them; this phone last. */
export function names(view: DoorView, ids: readonly string[], me: string): string[] {
  const members = view.record.roster ? knownRoster(view.record.roster).members : [];
  const others = ids.filter((id) => id !== me).map((id) => members.find((one) => one.id === id)?.name ?? T.live.somebody);
  return ids.includes(me) ? [...others, T.live.you] : others;
}

function Watchers({ door, view }: { door: Door; view: DoorView }): JSX.Element {
  const who = names(view, view.watching, door.asking.me);
  return (
    <p class="watchers" role="status">
      <Icon name="eye" /> {who.length > 0 ? T.live.watching(who) : T.live.nobody}
    </p>
  );
}
