/** While this phone is on its way into a household: what it shows to the door, whom it waits for, and the last step. */

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { knownRoster } from "../door/roster";
import type { Door } from "../household/door";
import type { House } from "../household/house";
import type { DoorView } from "../household/record";
import { T } from "../texts";
import { Code } from "./code";
import { Paper } from "./paper";
import { Recovering } from "./recovering";
import { Screen, sentence } from "./shown";

export function Joining({ door, view, house }: { door: Door; view: DoorView; house: House }): JSX.Element {
  const [said, setSaid] = useState("");
  const { ticket, step, secret } = view.record.joining!;
  const leave = async (): Promise<void> => {
    try {
      await house.forget(door);
      location.hash = "#/add";
      location.reload();
    } catch (error) {
      setSaid(sentence(error));
    }
  };
  const owner = view.record.roster && knownRoster(view.record.roster).members[0]!.recipient;
  if (step === "in")
    return (
      <Screen title={T.pair.finish}>
        <p class="note">{T.pair.begins}</p>
        {owner && <Paper recipient={owner} good={() => void door.entering.settled()} />}
      </Screen>
    );
  if (!secret && step === "asking")
    return (
      <Screen title={T.recover.title}>
        <Recovering door={door} />
        <button class="quiet" onClick={() => void leave()}>
          {T.pair.give}
        </button>
      </Screen>
    );
  return (
    <Screen title={T.pair.wait}>
      {ticket && (
        <>
          <Code ticket={ticket} />
          <p>{T.pair.hold}</p>
          <p class="small">{T.pair.bright}</p>
        </>
      )}
      <p role="status" class="note">
        {view.link === "online" ? T.pair[step] : T.link[view.link]}
      </p>
      <p role="alert" class="wrong">
        {said}
      </p>
      <button class="quiet" onClick={() => void leave()}>
        {T.pair.give}
      </button>
    </Screen>
  );
}
