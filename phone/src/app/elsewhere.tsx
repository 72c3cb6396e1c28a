/** This window, while another one of this phone follows the doors. */

import type { JSX } from "preact";
import type { House } from "../household/house";
import { T } from "../texts";
import { Icon, Screen } from "./shown";

export function Elsewhere({ house }: { house: House }): JSX.Element {
  return (
    <main>
      <Screen title={T.elsewhere.title}>
        <p class="note">
          <Icon name="door" /> {T.elsewhere.lead}
        </p>
        <button class="primary" onClick={() => void house.useHere()}>
          {T.elsewhere.here}
        </button>
      </Screen>
    </main>
  );
}
