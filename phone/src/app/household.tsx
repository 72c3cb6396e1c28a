/** Who can open what happens at this door, and taking somebody out. */

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { knownRoster, type Member, nextRoster } from "../door/roster";
import type { Door } from "../household/door";
import type { House } from "../household/house";
import type { DoorView } from "../household/record";
import { T } from "../texts";
import { Invite } from "./invite";
import { Icon, Screen, sentence, Sure } from "./shown";

export function Household({ door, view, house }: { door: Door; view: DoorView; house: House }): JSX.Element {
  const [leaving, setLeaving] = useState<Member | null>(null);
  const [said, setSaid] = useState("");
  const [inviting, setInviting] = useState(false);
  const [gone, setGone] = useState<Member | null>(null);
  const roster = view.record.roster && knownRoster(view.record.roster);
  const remove = async (member: Member): Promise<void> => {
    setLeaving(null);
    try {
      const document = await nextRoster(roster!, roster!.members.filter((one) => one.id !== member.id), house.keys!.signer);
      await door.asking.ask("roster", { document });
      await door.greet();
      setSaid(T.household.removed(member.name));
      setGone(member);
    } catch (error) {
      setSaid(sentence(error));
    }
  };
  const deleteOlder = async (): Promise<void> => {
    setGone(null);
    try {
      setSaid(T.pair.deleted(await door.deleteClips(view.visits.flatMap((visit) => visit.clips.map((clip) => clip.id)))));
    } catch (error) {
      setSaid(sentence(error));
    }
  };
  return (
    <Screen title={T.household.title}>
      {!roster && <p class="note">{T.household.none}</p>}
      <ul class="members">
        {roster?.members.map((member, place) => {
          const me = member.id === door.asking.me;
          return (
            <li class="card" key={member.id}>
              <Icon name="person" />
              <span class="about">
                <strong>{member.name}</strong>
                <span class="small">
                  {place === 0 ? T.household.owner : T.household[member.role]}
                  {me && `, ${T.household.you}`}
                </span>
              </span>
              {view.role === "admin" && place > 0 && !me && (
                <button aria-label={T.household.remove(member.name)} onClick={() => setLeaving(member)}>
                  {T.household.yes}
                </button>
              )}
            </li>
          );
        })}
      </ul>
      {roster?.members[0]!.id === door.asking.me && <p class="note">{T.household.ownersKey}</p>}
      <p role="status" class="hint">
        {said || T.household.joins}
      </p>
      {view.role === "admin" && roster && !inviting && (
        <button class="primary" onClick={() => setInviting(true)}>
          {T.pair.invite}
        </button>
      )}
      {inviting && (
        <Invite
          door={door}
          house={house}
          done={(told) => {
            setInviting(false);
            setSaid(told);
          }}
        />
      )}
      {gone && (
        <Sure
          text={`${T.pair.older(gone.name)} ${T.pair.olderLead}`}
          yes={T.pair.olderYes}
          no={T.pair.olderNo}
          onYes={() => void deleteOlder()}
          onNo={() => setGone(null)}
        />
      )}
      {leaving && (
        <Sure
          text={T.household.removeSure(leaving.name)}
          yes={T.household.yes}
          no={T.household.no}
          onYes={() => void remove(leaving)}
          onNo={() => setLeaving(null)}
        />
      )}
    </Screen>
  );
}
