/** Small parts that every screen uses: icons, times, the picture of a visit, a confirmation. */

import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Door } from "../household/door";
import { T } from "../texts";
import { Refused } from "../door/refused";

const PATHS = {
  door: "M5 21V4a1 1 0 0 1 1-1h12a1 1 0 0 1 1 1v17M3 21h18M15 12h.01",
  history: "M12 7v5l3 2M3.5 12a8.5 8.5 0 1 0 2.6-6.1L3.5 8.4M3.5 4v4.4h4.4",
  household: "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM2.5 20a6.5 6.5 0 0 1 13 0M16 4.3a3.5 3.5 0 0 1 0 6.4M18 14.2a6.5 6.5 0 0 1 3.5 5.8",
  more: "M4 6h16M4 12h16M4 18h16",
  bell: "M6 10a6 6 0 0 1 12 0c0 5 2 6.5 2 6.5H4S6 15 6 10ZM10 20a2.2 2.2 0 0 0 4 0",
  person: "M12 11.5a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM4.5 21a7.5 7.5 0 0 1 15 0",
  play: "M7 4.5v15l12-7.5-12-7.5Z",
  shield: "M12 3l7.5 3v5.5c0 4.6-3.1 8.2-7.5 9.5-4.4-1.3-7.5-4.9-7.5-9.5V6L12 3ZM8.7 12l2.4 2.4 4.3-4.6",
  alarm: "M12 4l9.5 16.5h-19L12 4ZM12 10v4.5M12 17.5h.01",
  back: "M15 5l-7 7 7 7",
  next: "M9 5l7 7-7 7",
  key: "M8 20a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9ZM11.2 12.3 20 3.5M16.5 7l3 3M14 9.5l2 2",
  heart: "M12 20s-7.5-4.5-7.5-10A4.3 4.3 0 0 1 12 7.2 4.3 4.3 0 0 1 19.5 10C19.5 15.5 12 20 12 20Z",
  wrench: "M14.5 6.5a4 4 0 0 0 5 5L11 20a2.1 2.1 0 0 1-3-3l8.5-8.5M14.5 6.5l3-3a4.2 4.2 0 0 1 3 3l-3 3",
  eye: "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12ZM12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6Z",
  settings: "M4 7h9M17 7h3M4 17h3M11 17h9M15 9.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5ZM9 19.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5Z",
  book: "M6.5 21A2 2 0 0 1 4.5 19V5A2 2 0 0 1 6.5 3H19v18H6.5ZM4.5 19a2 2 0 0 1 2-2H19M8.5 7.5h6.5M8.5 11h4",
  record: "M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17ZM12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6Z",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }): JSX.Element {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const FULL = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

export function timeOf(at: string | number): string {
  const date = new Date(at);
  return Number.isNaN(date.valueOf()) ? "" : CLOCK.format(date);
}

export function fullTime(at: string | number): string {
  const date = new Date(at);
  return Number.isNaN(date.valueOf()) ? "" : FULL.format(date);
}

/** A day of this phone's calendar, to tell it from others. */
export function dayKey(at: string): string {
  const date = new Date(at);
  return Number.isNaN(date.valueOf()) ? "?" : `${date.getFullYear()}-${date.getMonth()}-${date.getDate()}`;
}

/** A day of this phone's calendar, as a key and as people say it. */
export function dayOf(at: string): { key: string; name: string } {
  const date = new Date(at);
  const key = dayKey(at);
  if (key === "?") return { key, name: T.history.unsynced };
  const days = Math.round((midnight(new Date()) - midnight(date)) / 86_400_000);
  const name = days === 0 ? T.history.today : days === 1 ? T.history.yesterday : DAY.format(date);
  return { key, name };
}

function midnight(date: Date): number {
  return Date.UTC(date.getFullYear(), date.getMonth(), date.getDate());
}

/** The time of day of *at*; `about` it, when the door did not know the time. */
export function doorTime(at: string, synced: boolean): string {
  return synced ? timeOf(at) : T.visit.about(timeOf(at));
}

/** The same, with its day. */
export function doorFullTime(at: string, synced: boolean): string {
  return synced ? fullTime(at) : T.visit.about(fullTime(at));
}

export function length(seconds: number): string {
  const whole = Math.round(seconds);
  return whole < 60 ? T.length.seconds(whole) : T.length.minutes(Math.floor(whole / 60), whole % 60);
}

/** As players show it: whole minutes and seconds that have passed. */
export function playTime(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
}

/** What went wrong, in words for a person. Anything that is no refusal is a mistake of ours and goes on. */
export function sentence(error: unknown): string {
  if (!(error instanceof Refused)) {
    reportError(error);
    return T.failed;
  }
  const text = Object.hasOwn(T.error, error.word) ? T.error[error.word]! : T.refused;
  return typeof text === "string" ? text : text(error.detail);
}

/** The poster of *visit*, as soon as it is here; *version* makes it look again while there is none. */
export function Picture({ door, visit, alt, version }: { door: Door; visit: string; alt: string; version: unknown }): JSX.Element {
  const [shown, show] = useState({ visit: "", url: "" });
  const url = shown.visit === visit ? shown.url : "";
  const { withdrawn } = door.view;
  const looked = useRef(withdrawn);
  useEffect(() => () => URL.revokeObjectURL(shown.url), [shown.url]);
  useEffect(() => {
    if (url && looked.current === withdrawn) return; // a visit's picture never becomes another one; it may go
    looked.current = withdrawn;
    let gone = false;
    void door.poster(visit).then((picture) => {
      if (gone || (picture && url)) return;
      show({ visit, url: picture ? URL.createObjectURL(new Blob([picture], { type: "image/jpeg" })) : "" });
    });
    return () => {
      gone = true;
    };
  }, [door, visit, withdrawn, url ? null : version]);
  return url ? (
    <img class="picture" src={url} alt={alt} />
  ) : (
    <div class="picture none" role="img" aria-label={T.history.noPicture}>
      <Icon name="person" />
    </div>
  );
}

/** A question before something that cannot be undone. */
export function Sure(props: { text: string; yes: string; no: string; onYes: () => void; onNo: () => void }): JSX.Element {
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => box.current?.showModal(), []);
  return (
    <dialog ref={box} class="sure" onCancel={props.onNo} aria-label={props.text}>
      <p>{props.text}</p>
      <div class="row">
        <button onClick={props.onNo}>{props.no}</button>
        <button class="danger" onClick={props.onYes}>
          {props.yes}
        </button>
      </div>
    </dialog>
  );
}

export function Screen(props: { title: string; back?: string; children: ComponentChildren }): JSX.Element {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), [props.title]);
  return (
    <section class="screen">
      <header class="top">
        {props.back !== undefined && (
          <a class="back" href={props.back} aria-label={T.visit.back}>
            <Icon name="back" />
          </a>
        )}
        <h1 tabIndex={-1} ref={heading}>
          {props.title}
        </h1>
      </header>
      {props.children}
    </section>
  );
}
