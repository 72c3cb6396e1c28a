/** How a door comes to this phone: by a QR, by light, or by the owner's words. */

import type { JSX } from "preact";
import { Refused } from "../door/refused";
import type { House } from "../household/house";
import { T } from "../texts";
import { ByLight } from "./bylight";
import { Join } from "./join";
import { Recover } from "./recover";
import { Icon, type IconName, Screen, sentence } from "./shown";

const WAYS: readonly (readonly [string, IconName, string, string])[] = [
  ["join", "household", T.pair.join, T.pair.joinLead],
  ["light", "door", T.pair.light, T.pair.lightLead],
  ["words", "key", T.pair.words, T.pair.wordsLead],
];

/** *given*: a ticket's text that came with the address. */
export function Add({ house, way, given }: { house: House; way: string; given: string }): JSX.Element {
  // Over plain http whoever is on the way can change this page: nothing is asked here, so nothing can be told.
  if (!isSecureContext)
    return (
      <Screen title={T.pair.title}>
        <p class="banner" role="alert">
          {sentence(new Refused("insecure"))}
        </p>
      </Screen>
    );
  if (way === "join") return <Join house={house} given={given === "join" ? "" : given} />;
  if (way === "light") return <ByLight house={house} />;
  if (way === "words") return <Recover house={house} />;
  return (
    <Screen title={T.pair.title} {...(house.doors.length > 0 ? { back: "#/more" } : {})}>
      <p class="note">
        <Icon name="shield" /> {T.pair.lead}
      </p>
      {WAYS.map(([to, icon, name, lead]) => (
        <a key={to} class="card way" href={`#/add/${to}`}>
          <strong>
            <Icon name={icon} /> {name}
          </strong>
          <span class="small">{lead}</span>
        </a>
      ))}
    </Screen>
  );
}
