/**
 * The place of the one window that follows the doors. A phone is one client at the broker, which cuts the older of two
 * connections: without this, two windows would put each other out for ever.
 */

const NAME = "doorbell/window";

/**
 * Resolves with the place, which is held until the window goes. *lost*: another window took it over, or *stop* ended the waiting.
 * Where a browser has no Web Locks (over plain http, where the app takes no key) every window has the place.
 */
export function takePlace(how: LockOptions, lost: () => void): Promise<void> {
  const { locks } = navigator;
  if (!locks) return Promise.resolve();
  return new Promise((resolve) => {
    const held = (): Promise<never> => {
      resolve();
      return new Promise(() => undefined);
    };
    locks.request(NAME, how, held).catch(lost);
  });
}
