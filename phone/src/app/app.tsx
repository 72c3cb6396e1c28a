/** Which screen is shown, and what lies over all of them: the ring and the red banner. */

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { House } from "../household/house";
import { T } from "../texts";
import { Add } from "./add";
import { Elsewhere } from "./elsewhere";
import { Joining } from "./joining";
import { Banner } from "./banner";
import { History } from "./history";
import { Home } from "./home";
import { Household } from "./household";
import { Health, Journal, More, Privacy, Words } from "./pages";
import { PocketPage } from "./pocket";
import { Ring } from "./ring";
import { Areas } from "./areas";
import { Live } from "./live";
import { HoursPage, SettingsPage } from "./settings";
import { Icon, type IconName } from "./shown";
import { allowSound } from "./sound";
import { VisitPage } from "./visit";

const TABS: readonly (readonly [string, IconName, string])[] = [
  ["", "door", T.tabs.door],
  ["history", "history", T.tabs.history],
  ["household", "household", T.tabs.household],
  ["more", "more", T.tabs.more],
];

export function App({ house }: { house: House }): JSX.Element {
  const [, again] = useState(0);
  const [path, setPath] = useState(location.hash);
  const [chosen, choose] = useState(() => first(house, path));
  useEffect(() => house.listen(() => again((n) => n + 1)), [house]);
  useEffect(() => {
    const moved = (): void => {
      setPath(location.hash);
      scrollTo(0, 0);
    };
    addEventListener("hashchange", moved);
    addEventListener("pointerdown", allowSound, { once: true });
    addEventListener("keydown", allowSound, { once: true });
    return () => removeEventListener("hashchange", moved);
  }, []);

  if (house.elsewhere) return <Elsewhere house={house} />;
  const [, page = "", of = "", id = ""] = path.split("/");
  const named = page === "visit" || page === "live" || page === "pocket";
  const door = house.doors.find(({ view }) => view.record.door === (named && of ? of : chosen)) ?? house.doors[0];
  // Whatever is on the screen: somebody may be at another door meanwhile.
  const ringing = house.doors.find((one) => one.view.ringing);
  const ring = ringing && <Ring key={ringing.view.ringing!.visit} door={ringing} view={ringing.view} />;
  if (!door || page === "add" || page === "join")
    return (
      <>
        <main>
          <Add key={path} house={house} way={page === "join" ? page : of} given={of} />
        </main>
        {ring}
      </>
    );
  const { view } = door;
  const doors = house.doors.length > 1 && <Doors house={house} chosen={view.record.door} choose={choose} />;
  if (view.record.joining)
    return (
      <>
        <main key={view.record.door}>
          {doors}
          <Joining door={door} view={view} house={house} />
        </main>
        {ring}
      </>
    );
  const props = { door, view, house };
  const tab = page === "visit" ? "history" : page === "live" || page === "door" ? "" : TABS.some(([name]) => name === page) ? page : "more";
  return (
    <>
      <main key={view.record.door}>
        {doors}
        <Banner door={door} view={view} />
        {(page === "" || page === "door") && <Home {...props} />}
        {page === "history" && <History {...props} />}
        {page === "visit" && <VisitPage key={id} {...props} id={id} />}
        {page === "live" && <Live {...props} />}
        {page === "settings" && <SettingsPage {...props} />}
        {page === "hours" && <HoursPage {...props} />}
        {page === "areas" && <Areas key={of} {...props} kind={of === "masks" ? "masks" : "zones"} />}
        {page === "household" && <Household {...props} />}
        {page === "more" && <More {...props} />}
        {page === "health" && <Health {...props} />}
        {page === "privacy" && <Privacy {...props} />}
        {page === "journal" && <Journal {...props} />}
        {page === "words" && <Words {...props} />}
        {page === "pocket" && <PocketPage key={id} {...props} visit={id} />}
      </main>
      <nav class="tabs" aria-label={T.app}>
        {TABS.map(([name, icon, text]) => (
          <a key={name} href={`#/${name}`} aria-current={tab === name ? "page" : undefined}>
            <Icon name={icon} />
            {text}
          </a>
        ))}
      </nav>
      {ring}
    </>
  );
}

/** The door that is shown at the start: the one that `#/door/<id>` names, or else one that is in already. */
function first(house: House, path: string): string {
  const [, page, of] = path.split("/");
  const records = house.doors.map(({ view }) => view.record);
  const named = page === "door" ? records.find(({ door }) => door === of) : undefined;
  return (named ?? records.find(({ joining }) => !joining) ?? records[0])?.door ?? "";
}

function Doors({ house, chosen, choose }: { house: House; chosen: string; choose: (door: string) => void }): JSX.Element {
  return (
    <div class="doors" role="tablist">
      {house.doors.map(({ view: { record } }) => (
        <button key={record.door} role="tab" aria-selected={record.door === chosen} onClick={() => choose(record.door)}>
          {record.name}
        </button>
      ))}
    </div>
  );
}
