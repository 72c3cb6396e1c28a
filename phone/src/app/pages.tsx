/** The quieter screens: health, privacy, journal, words, and the list that leads to them. */

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { base32 } from "../door/bytes";
import { recipientOf, secretFromWords } from "../door/identity";
import type { Body } from "../door/journal";
import { proof } from "../door/proof";
import { Refused } from "../door/refused";
import { knownRoster } from "../door/roster";
import { hashOf } from "../door/sign";
import type { Door } from "../household/door";
import type { House } from "../household/house";
import type { DoorView } from "../household/record";
import { T } from "../texts";
import { names } from "./live";
import { Rows } from "./rows";
import { doorFullTime, fullTime, Icon, type IconName, length, Screen, sentence, Sure, timeOf } from "./shown";
import { allowSound, dingDong } from "./sound";

const LINE_REM = 5.3; // two lines of text and the time
const LINE_NARROW_REM = 9.6; // five of text

interface Page {
  readonly door: Door;
  readonly view: DoorView;
  readonly house: House;
}

export function Health({ door, view }: Page): JSX.Element {
  const { health } = view;
  const { answers } = view;
  // What is shown is as the door says it now; where it does not answer, what it said last, with its age.
  useEffect(() => {
    if (answers) door.refresh().catch((error: unknown) => error instanceof Refused || reportError(error));
  }, [door, answers]);
  const unit = (value: number | null | undefined, of: string): string => (value == null ? T.health.unknown : `${value} ${of}`);
  return (
    <Screen title={T.health.title} back="#/more">
      {!health && <p class="note">{T.health.off}</p>}
      {health && (
        <>
          <div class={`card ${health.problems.length > 0 ? "alarm" : ""}`}>
            {health.problems.length === 0 ? (
              <p>
                <Icon name="heart" /> {T.health.none}
              </p>
            ) : (
              <>
                <h2>{T.health.problems}</h2>
                <ul class="problems">
                  {health.problems.map((part) => (
                    <li key={part}>{T.health.parts[part] ?? part}</li>
                  ))}
                </ul>
              </>
            )}
          </div>
          <dl class="card">
            <Fact name={T.health.disk} value={unit(health.disk, "%")} />
            <Fact name={T.health.temperature} value={unit(health.temperature, "°C")} />
            <Fact name={T.health.rssi} value={unit(health.rssi, "dBm")} />
            <Fact
              name={T.health.throttled}
              value={health.throttled === null ? T.health.unknown : health.throttled ? T.health.throttledYes : T.health.throttledNo}
            />
            <Fact name={T.health.started} value={fullTime(health.started)} />
            <Fact name={T.health.version} value={health.version} />
          </dl>
          <p class="hint">{T.health.age(fullTime(view.heardAt))}</p>
        </>
      )}
    </Screen>
  );
}

function Fact({ name, value }: { name: string; value: string }): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

/** Five groups of four letters that a person can compare with what the door shows. */
export function checkWords(verifyKey: Uint8Array): string {
  return base32(hashOf(verifyKey)).slice(0, 20).match(/.{4}/g)!.join(" ");
}

export function Privacy({ door, view, house }: Page): JSX.Element {
  const { record } = view;
  return (
    <Screen title={T.privacy.title} back="#/more">
      <div class="card">
        <h2>{T.privacy.who}</h2>
        <dl class="who">
          {T.privacy.rows.map(([who, what]) => (
            <Fact key={who} name={who} value={what} />
          ))}
        </dl>
      </div>
      <div class="card">
        <h2>{T.privacy.chain}</h2>
        <p>
          <Icon name={record.faults.length > 0 ? "alarm" : "shield"} />{" "}
          {view.verifiedTo ? T.verify.good(view.verifiedTo) : T.verify.none}
        </p>
        {view.forged > 0 && <p class="small">{T.privacy.forged(view.forged)}</p>}
        <p class="small">{T.privacy.sessions(record.liveSessions)}</p>
      </div>
      {record.verifyKey && (
        <div class="card">
          <h2>{T.privacy.door}</h2>
          <p class="check-words">{checkWords(record.verifyKey)}</p>
          <p class="small">
            {record.known === "paired" ? T.privacy.doorPaired : record.known === "compared" ? T.privacy.doorCompared : T.privacy.doorFirst}
          </p>
          {record.known === "first" && <button onClick={() => void door.compared()}>{T.privacy.compared}</button>}
        </div>
      )}
      {record.verifyKey && record.journal && record.head && <Proof text={proof(record.verifyKey, record.journal, record.head)} />}
      <div class="card">
        <h2>{T.privacy.key}</h2>
        <p class="small">{house.keys?.locked ? T.privacy.keyLocked : T.privacy.keyWrapped}</p>
      </div>
    </Screen>
  );
}

function Proof({ text }: { text: string }): JSX.Element {
  const [copied, setCopied] = useState(false);
  const copy = (): void => {
    void navigator.clipboard.writeText(text).then(() => setCopied(true));
  };
  return (
    <div class="card">
      <h2>{T.privacy.stolen}</h2>
      <p class="small">{T.privacy.stolenLead}</p>
      <pre class="proof">{text}</pre>
      <button onClick={copy}>{copied ? T.privacy.copied : T.privacy.copy}</button>
    </div>
  );
}

function lineOf(body: Body, view: DoorView, me: string): string {
  const text = (name: string): string => (typeof body[name] === "string" ? body[name] : "");
  const id = text("who") || text("by");
  const who = id === me ? T.told.me : id === "homeassistant" ? T.told.homeassistant : (names(view, [id], me)[0] ?? "");
  const what = text("what");
  if (body.kind === "live" && what === "began") return T.told.began(who);
  if (body.kind === "live" && what === "ended") return T.told.ended(who, length(Number(body["seconds"]) || 0));
  if (body.kind === "live" && what === "still") return T.told.still(who);
  if (body.kind === "settings" && id) return typeof body["recording"] === "boolean" ? T.told.recording(who, body["recording"]) : T.told.set(who);
  return T.kinds[body.kind] ?? body.kind;
}

export function Journal({ door, view }: Page): JSX.Element {
  return (
    <Screen title={T.journal.title} back="#/more">
      <p class="hint">
        {T.journal.lead} {view.verifiedTo > 0 && T.verify.good(view.verifiedTo)}
      </p>
      <Rows
        rows={door.story.entries}
        id={(_, place) => place}
        height={(_, narrow) => (narrow ? LINE_NARROW_REM : LINE_REM)}
        draw={({ index, body }) => (
          <div class="line">
            <span class="number">{index}</span>
            <span>{body ? lineOf(body, view, door.asking.me) : T.journal.sealed}</span>
            {body && <time dateTime={body.at}>{doorFullTime(body.at, body.clock === "synced")}</time>}
          </div>
        )}
      />
    </Screen>
  );
}

export function Words({ view }: Page): JSX.Element {
  const [typed, setTyped] = useState("");
  const [said, setSaid] = useState("");
  const check = async (event: Event): Promise<void> => {
    event.preventDefault();
    try {
      const { wordlist } = await import("@scure/bip39/wordlists/english.js");
      const given = recipientOf(secretFromWords(typed, wordlist));
      setTyped("");
      // The words are the owner's, who is the first member; this phone has keys of its own.
      const { roster } = view.record;
      setSaid(!roster ? T.household.none : given === knownRoster(roster).members[0]!.recipient ? T.words.good : sentence(new Refused("words")));
    } catch (error) {
      setSaid(sentence(error));
    }
  };
  return (
    <Screen title={T.words.title} back="#/more">
      <p class="note">{T.words.lead}</p>
      <form class="card" onSubmit={(event) => void check(event)}>
        <h2>{T.words.test}</h2>
        <label>
          <span class="small">{T.words.testLead}</span>
          <textarea rows={5} value={typed} autocomplete="off" autocapitalize="off" spellcheck={false} onInput={(event) => setTyped(event.currentTarget.value)} />
        </label>
        <button class="primary">{T.words.check}</button>
        <p role="status">{said}</p>
      </form>
    </Screen>
  );
}

export function More({ door, view, house }: Page): JSX.Element {
  const [leaving, setLeaving] = useState(false);
  const [said, setSaid] = useState("");
  const test = async (): Promise<void> => {
    allowSound();
    dingDong();
    if (!view.answers) return;
    try {
      await door.asking.ask("ring_test", { everywhere: false });
      const { silentUntil } = view.record;
      setSaid(silentUntil > Date.now() ? T.more.testSilent(timeOf(silentUntil)) : T.more.testSent);
    } catch (error) {
      setSaid(sentence(error));
    }
  };
  const record = async (on: boolean): Promise<void> => {
    try {
      await door.asking.ask("recording", { on });
      setSaid("");
    } catch (error) {
      setSaid(sentence(error));
    }
  };
  const leave = async (): Promise<void> => {
    await house.forget(door);
    location.hash = "#/";
    location.reload();
  };
  const links: [string, IconName, string][] = [
    ["#/pocket", "bell", T.more.pocket],
    ...(view.role === "member" ? [] : ([["#/settings", "settings", T.settings.title]] as [string, IconName, string][])),
    ["#/health", "heart", T.more.health],
    ["#/privacy", "shield", T.more.privacy],
    ["#/journal", "book", T.more.journal],
    ["#/words", "key", T.more.words],
    ["#/add", "door", T.more.add],
  ];
  return (
    <Screen title={T.more.title}>
      <ul class="facts">
        {links.map(([to, icon, name]) => (
          <li key={to}>
            <a href={to}>
              <Icon name={icon} />
              <span>{name}</span>
              <Icon name="next" />
            </a>
          </li>
        ))}
        <li>
          <button onClick={() => void test()}>
            <Icon name="bell" />
            <span>{view.answers ? T.more.test : T.more.sound}</span>
          </button>
        </li>
        {view.role === "admin" && view.recording !== null && (
          <li>
            <button role="switch" aria-checked={view.recording} onClick={() => void record(!view.recording)}>
              <Icon name="record" />
              <span>{T.more.recording}</span>
              <em>{view.recording ? T.more.on : T.more.off}</em>
              <i class="slide" aria-hidden="true" />
            </button>
          </li>
        )}
      </ul>
      <form class="card" onSubmit={(event) => event.preventDefault()}>
        <label>
          <span class="small">{T.more.name}</span>
          <input value={view.record.name} maxLength={32} onChange={(event) => void door.rename(event.currentTarget.value.trim() || view.record.door)} />
        </label>
      </form>
      <p role="status" class="hint">
        {said}
      </p>
      <button class="quiet" onClick={() => setLeaving(true)}>
        {T.more.leave}
      </button>
      {leaving && (
        <Sure text={T.more.leaveSure} yes={T.more.leaveYes} no={T.more.leaveNo} onYes={() => void leave()} onNo={() => setLeaving(false)} />
      )}
    </Screen>
  );
}
