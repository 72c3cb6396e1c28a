/** Which screen is shown, and what lies over all of them: the ring and the red banner. */

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
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

/** What `#/…` may name; anything else is the first screen. */
const PAGES = new Set("history visit live settings hours areas household more health privacy journal words pocket add join".split(" "));

export function App({ house }: { house: House }): JSX.Element {
  const [, again] = useState(0);
  const [path, setPath] = useState(location.hash);
  const [chosen, choose] = useState(() => first(house, path));
  const under = useRef<JSX.Element | null>(null);
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
  // Whatever is on the screen: somebody may be at another door meanwhile.
  const ringing = house.doors.find((one) => one.view.ringing);
  // A ring covers the screen: what lies under it is drawn anew when the ring is gone, and no ring waits for it.
  if (!ringing || !under.current) under.current = <Page house={house} path={path} chosen={chosen} choose={choose} />;
  const rings = ringing ?? house.doors[0];
  return (
    <>
      {under.current}
      {rings && <Ring key={rings.view.record.door} door={rings} view={rings.view} />}
    </>
  );
}

interface PageProps {
  readonly house: House;
  readonly path: string;
  readonly chosen: string;
  readonly choose: (door: string) => void;
}

/** What lies under a ring: the page that the address names, of the door that was chosen. */
function Page({ house, path, chosen, choose }: PageProps): JSX.Element {
  const [, asked = "", of = "", id = ""] = path.split("/");
  const page = PAGES.has(asked) ? asked : "";
  const named = page === "visit" || page === "live" || page === "pocket";
  const door = house.doors.find(({ view }) => view.record.door === (named && of ? of : chosen)) ?? house.doors[0];
  if (!door || page === "add" || page === "join")
    return (
      <main>
        <Add key={path} house={house} way={page === "join" ? page : of} given={of} />
      </main>
    );
  const { view } = door;
  const doors = house.doors.length > 1 && <Doors house={house} chosen={view.record.door} choose={choose} />;
  if (view.record.joining)
    return (
      <main key={view.record.door}>
        {doors}
        <Joining door={door} view={view} house={house} />
      </main>
    );
  const props = { door, view, house };
  const tab = page === "visit" ? "history" : page === "live" ? "" : TABS.some(([name]) => name === page) ? page : "more";
  return (
    <>
      <main key={view.record.door}>
        {doors}
        <Banner door={door} view={view} />
        {page === "" && <Home {...props} />}
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
    <div class="doors" role="group" aria-label={T.tabs.door}>
      {house.doors.map(({ view: { record } }) => (
        <button key={record.door} aria-pressed={record.door === chosen} onClick={() => choose(record.door)}>
          {record.name}
        </button>
      ))}
    </div>
  );
}
