/** What an admin may change at the door. Nothing is shown as changed before the door has said that it is. */

import type { ComponentChildren, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { DAYS, type Hours, MOST_LINES, writeHours } from "../door/hours";
import type { Fields } from "../door/json";
import type { Door } from "../household/door";
import type { DoorView } from "../household/record";
import { askSettings, change, type Settings } from "../household/settings";
import { T } from "../texts";
import { Icon, Screen, sentence } from "./shown";

const RECORD_ON = ["press", "motion", "motion-and-pir"] as const;
const SENSITIVITY = ["low", "medium", "high"] as const;
const LINGER_S = [5, 10, 20, 30, 60];
const DAYS_KEPT = [1, 3, 7, 14, 30, 90, 365];
const NIGHT: Hours = { days: DAYS.map(() => true), from: "22:00", to: "06:00" };

export function SettingsPage({ door, view }: { door: Door; view: DoorView }): JSX.Element {
  const { settings, said, busy, put } = useSettings(door, view);
  return (
    <Screen title={T.settings.title} back="#/more">
      <Gate view={view} loaded={settings !== null} said={said} />
      {settings && (
        <fieldset class="plain" disabled={busy}>
          <ul class="facts">
            <Link to="#/areas/zones" icon="eye" name={T.areas.zones.title} count={settings.zones.length} />
            <Link to="#/areas/masks" icon="shield" name={T.areas.masks.title} count={settings.masks.length} />
            <Link to="#/hours" icon="history" name={T.hours.title} count={settings.schedule.length} />
          </ul>
          <Choice
            name={T.settings.recordOn}
            value={settings.recordOn}
            options={RECORD_ON.map((one) => [one, T.settings.recordOns[one]])}
            choose={(record_on) => put({ motion: { record_on } })}
          />
          <Choice
            name={T.settings.sensitivity}
            hint={T.settings.sensitivityHint}
            value={settings.sensitivity}
            options={SENSITIVITY.map((one) => [one, T.settings.sensitivities[one]])}
            choose={(sensitivity) => put({ motion: { sensitivity } })}
          />
          <Pick
            name={T.settings.linger}
            hint={T.settings.lingerHint}
            value={settings.linger}
            options={LINGER_S}
            say={T.settings.seconds}
            choose={(linger_s) => put({ visit: { linger_s } })}
          />
          <Pick
            name={T.settings.days}
            hint={T.settings.daysHint}
            value={settings.days}
            options={DAYS_KEPT}
            say={T.settings.daysOf}
            choose={(days) => put({ storage: { days } })}
          />
        </fieldset>
      )}
      <Said text={said} busy={busy} />
    </Screen>
  );
}

/** The settings of the door, what was said of the last change, and how to change them. */
export function useSettings(door: Door, view: DoorView) {
  const [settings, setSettings] = useState<Settings | null>(null);
  const [said, setSaid] = useState("");
  const [busy, setBusy] = useState(false);
  const may = view.role === "admin" && view.answers;
  useEffect(() => {
    if (!may) return;
    let gone = false;
    askSettings(door).then(
      (found) => gone || (setSettings(found), setSaid("")),
      (error: unknown) => gone || setSaid(sentence(error)),
    );
    return () => {
      gone = true;
    };
  }, [door, may]);
  /** Whether the door confirmed it. */
  const put = async (set: Fields): Promise<boolean> => {
    setBusy(true);
    setSaid(T.settings.asking);
    try {
      setSettings(await change(door, set));
      setSaid(T.settings.done);
      return true;
    } catch (error) {
      const word = (error as { word?: unknown }).word;
      setSaid(word === "camera" ? T.settings.unconfirmed : word === "args" ? T.settings.refused : sentence(error));
      // What the door holds now, whatever became of the wish.
      await askSettings(door).then(setSettings, () => undefined);
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { settings, said, busy, put };
}

export function Gate({ view, loaded, said }: { view: DoorView; loaded: boolean; said: string }): JSX.Element | null {
  if (!view.answers) return <p class="note">{view.link === "online" ? T.door.notYet : T.link[view.link]}</p>;
  if (view.role !== "admin") return <p class="note">{T.settings.adminsOnly}</p>;
  return loaded || said ? null : <p class="note">{T.settings.loading}</p>;
}

export function Said({ text, busy }: { text: string; busy: boolean }): JSX.Element {
  return (
    <p role="status" class={`said ${text ? "" : "unseen"}`}>
      {busy && <span class="turning" aria-hidden="true" />}
      {text}
    </p>
  );
}

function Link({ to, icon, name, count }: { to: string; icon: "eye" | "shield" | "history"; name: string; count: number }): JSX.Element {
  return (
    <li>
      <a href={to}>
        <Icon name={icon} />
        <span>{name}</span>
        <em>{T.settings.count(count)}</em>
        <Icon name="next" />
      </a>
    </li>
  );
}

function Choice<K extends string>(props: {
  name: string;
  hint?: string;
  value: K;
  options: readonly (readonly [K, string])[];
  choose: (value: K) => void;
}): JSX.Element {
  return (
    <fieldset class="card choice">
      <legend>{props.name}</legend>
      {props.options.map(([value, text]) => (
        <label key={value}>
          <input type="radio" name={props.name} checked={value === props.value} onChange={() => props.choose(value)} />
          <span>{text}</span>
        </label>
      ))}
      {props.hint && <p class="small">{props.hint}</p>}
    </fieldset>
  );
}

function Pick(props: {
  name: string;
  hint: string;
  value: number;
  options: readonly number[];
  say: (value: number) => string;
  choose: (value: number) => void;
}): JSX.Element {
  const options = [...new Set([...props.options, props.value])].sort((a, b) => a - b);
  return (
    <div class="card">
      <label class="pick">
        <span>{props.name}</span>
        <select value={String(props.value)} onChange={(event) => props.choose(Number(event.currentTarget.value))}>
          {options.map((value) => (
            <option key={value} value={String(value)}>
              {props.say(value)}
            </option>
          ))}
        </select>
      </label>
      <p class="small">{props.hint}</p>
    </div>
  );
}

/** When motion counts. */
export function HoursPage({ door, view }: { door: Door; view: DoorView }): JSX.Element {
  const { settings, said, busy, put } = useSettings(door, view);
  const [drawn, setDrawn] = useState<readonly Hours[] | null>(null);
  const lines = drawn ?? settings?.schedule ?? [];
  const written = lines.map(writeHours);
  const edit = (place: number, part: Partial<Hours>): void => setDrawn(lines.map((one, i) => (i === place ? { ...one, ...part } : one)));
  const save = async (): Promise<void> => {
    if (await put({ motion: { schedule: written } })) setDrawn(null);
  };
  return (
    <Screen title={T.hours.title} back="#/settings">
      <Gate view={view} loaded={settings !== null} said={said} />
      {settings && (
        <fieldset class="plain" disabled={busy}>
          <p class="hint">{T.hours.lead}</p>
          {lines.length === 0 && <p class="note">{T.hours.always}</p>}
          {lines.map((one, place) => (
            <Stretch key={place} hours={one} wrong={written[place] === null} edit={(part) => edit(place, part)}>
              <button type="button" class="quiet" onClick={() => setDrawn(lines.filter((_, i) => i !== place))}>
                {T.hours.remove}
              </button>
            </Stretch>
          ))}
          <div class="row">
            {lines.length < MOST_LINES && (
              <button type="button" onClick={() => setDrawn([...lines, NIGHT])}>
                {T.hours.add}
              </button>
            )}
            {drawn && (
              <button type="button" class="primary" disabled={written.includes(null)} onClick={() => void save()}>
                {T.settings.save}
              </button>
            )}
          </div>
          <p class="hint">{settings.local === null ? T.hours.noClock : T.hours.clock(T.hours.local(settings.local))}</p>
        </fieldset>
      )}
      <Said text={said} busy={busy} />
    </Screen>
  );
}

function Stretch(props: { hours: Hours; wrong: boolean; edit: (part: Partial<Hours>) => void; children: ComponentChildren }): JSX.Element {
  const { days, from, to } = props.hours;
  return (
    <fieldset class="card stretch">
      <legend class="unseen">{T.hours.stretch}</legend>
      <div class="days">
        {days.map((on, day) => (
          <label key={DAYS[day]} class={on ? "on" : ""}>
            <input type="checkbox" checked={on} aria-label={T.hours.longDays[day]} onChange={() => props.edit({ days: days.map((one, i) => (i === day ? !one : one)) })} />
            <span aria-hidden="true">{T.hours.days[day]}</span>
          </label>
        ))}
      </div>
      <div class="pair">
        <label>
          <span>{T.hours.from}</span>
          <input type="time" value={from} onInput={(event) => props.edit({ from: event.currentTarget.value })} />
        </label>
        <label>
          <span>{to !== "24:00" && to <= from ? T.hours.toNext : T.hours.to}</span>
          <input type="time" value={to === "24:00" ? "00:00" : to} onInput={(event) => props.edit({ to: event.currentTarget.value })} />
        </label>
      </div>
      {props.wrong && <p class="wrong">{T.hours.wrong}</p>}
      {props.children}
    </fieldset>
  );
}
