/** How this phone rings in a pocket: the choice, the test on the locked phone, and the reminder until both are done. */

import { Fragment, type JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Door } from "../household/door";
import { LOCK_S, Pocket, type PocketState, standing, type Way, WAYS } from "../household/pocket";
import type { DoorView } from "../household/record";
import { T } from "../texts";
import { fullTime, Icon, Screen, sentence, timeOf } from "./shown";

interface Page {
  readonly door: Door;
  readonly view: DoorView;
}

/** What the door said last, by door: the home screen shows it without asking again. */
const known = new Map<string, PocketState>();

/** Asks once the door answers, and looks after the browser's subscription. */
function usePocket({ door, view }: Page): { pocket: Pocket; state: PocketState | null; set: (state: PocketState) => void } {
  const { door: name } = view.record;
  const [state, setState] = useState(known.get(name) ?? null);
  const pocket = new Pocket(name, door.asking);
  const set = (next: PocketState): void => {
    known.set(name, next);
    setState(next);
  };
  useEffect(() => {
    if (!view.answers) return;
    let gone = false;
    void pocket
      .show()
      .then((next) => pocket.lookAfter(next))
      .then((next) => !gone && set(next))
      .catch(() => null); // a door that does not answer now is asked when it does
    return () => {
      gone = true;
    };
  }, [name, view.answers]);
  return { pocket, state, set };
}

/** On the first screen, until this phone is known to ring, or was told not to. */
export function PocketNotice(props: Page): JSX.Element | null {
  const { state } = usePocket(props);
  const how = state && standing(state, Date.now());
  if (!how || how === "done") return null;
  return (
    <a class="card pocket-notice alarm" href="#/pocket">
      <Icon name="alarm" />
      <span>{T.pocket.notice[how]}</span>
      <Icon name="next" />
    </a>
  );
}

/** *visit*: of the test whose notification was tapped. */
export function PocketPage({ visit, ...page }: Page & { visit: string }): JSX.Element {
  const { pocket, state, set } = usePocket(page);
  const [rung, setRung] = useState(visit);
  const [said, setSaid] = useState("");
  const [server, setServer] = useState("https://ntfy.sh");
  const [busy, setBusy] = useState(false);
  const { view } = page;
  const admin = view.role === "admin";
  const how = state ? standing(state, Date.now()) : null;

  const doing = async (what: () => Promise<void>): Promise<void> => {
    setBusy(true);
    setSaid("");
    try {
      await what();
    } catch (error) {
      setSaid(sentence(error));
    } finally {
      setBusy(false);
    }
  };
  const choose = (way: Way): Promise<void> =>
    doing(async () => {
      setRung("");
      if (way === "web" && !state?.web) await pocket.turnOn({ web: true });
      if (way === "ntfy" && !state?.ntfy) await pocket.turnOn({ ntfy: server });
      set(way === "web" ? await pocket.chooseWeb() : await pocket.choose(way));
    });
  const test = (): Promise<void> =>
    doing(async () => {
      setRung(await pocket.test(state?.way ?? null));
      const { silentUntil } = view.record;
      setSaid(silentUntil > Date.now() ? T.more.testSilent(timeOf(silentUntil)) : T.pocket.lockNow(LOCK_S));
    });
  const confirm = (): Promise<void> =>
    doing(async () => {
      set(await pocket.confirm(rung));
      setRung("");
    });
  const may = (way: Way): boolean => way === "homeassistant" ? !!state?.homeassistant : admin || way === "none" || (way === "web" ? !!state?.web : !!state?.ntfy);

  return (
    <Screen title={T.pocket.title} back="#/more">
      <p class="hint">{T.pocket.lead}</p>
      {!state && <p class="note">{view.answers ? T.pocket.asking : T.pocket.silent}</p>}
      {state && (
        <>
          <p class={`card pocket-state ${how === "done" ? "" : "alarm"}`} role="status">
            <Icon name={how === "done" ? "bell" : "alarm"} />
            <span>{how === "done" ? T.pocket.done(fullTime(state.confirmed)) : state.ended ? T.pocket.ended : T.pocket.notice[how!]}</span>
          </p>
          <fieldset class="card ways" disabled={busy}>
            <legend>{T.pocket.how}</legend>
            {WAYS.map((way) => (
              <Fragment key={way}>
                <label class={way === "none" ? "danger-way" : ""}>
                  <input type="radio" name="way" checked={state.way === way} disabled={!may(way)} onChange={() => void choose(way)} />
                  <span>
                    <strong>{T.pocket.ways[way][0]}</strong>
                    <span class="small">{may(way) ? T.pocket.ways[way][1] : way === "homeassistant" ? T.pocket.noEvents : T.pocket.adminFirst}</span>
                  </span>
                </label>
                {way === "ntfy" && admin && !state.ntfy && (
                  <label class="server">
                    <span class="small">{T.pocket.server}</span>
                    <input value={server} inputMode="url" autocapitalize="off" spellcheck={false} onInput={(event) => setServer(event.currentTarget.value.trim())} />
                  </label>
                )}
              </Fragment>
            ))}
          </fieldset>
          {state.way === "ntfy" && state.ntfy && (
            <div class="card">
              <p class="small">{T.pocket.topic}</p>
              <p class="check-words">{state.ntfy.server}</p>
              <p class="check-words">{state.ntfy.topic}</p>
            </div>
          )}
          {state.way && state.way !== "none" && (
            <div class="card">
              <h2>{T.pocket.test}</h2>
              <p class="small">{T.pocket.testLead(LOCK_S)}</p>
              {rung ? (
                <>
                  <p>
                    <strong>{T.pocket.didIt}</strong>
                  </p>
                  <div class="row">
                    <button disabled={busy} onClick={() => setRung("")}>
                      {T.pocket.no}
                    </button>
                    <button class="primary" disabled={busy} onClick={() => void confirm()}>
                      {T.pocket.yes}
                    </button>
                  </div>
                </>
              ) : (
                <button class="primary" disabled={busy} onClick={() => void test()}>
                  {T.pocket.testNow}
                </button>
              )}
              <p class="small">{T.pocket.didNot}</p>
            </div>
          )}
        </>
      )}
      <p role="status" class="hint">
        {said}
      </p>
    </Screen>
  );
}
