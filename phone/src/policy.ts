/**
 * The page's own security policy, tightened before anything else runs: connections only to where the page came from and to
 * the brokers that a person entered. index.html allows WebSockets in general, because a page does not know its broker when it
 * is built; of two policies the browser obeys both.
 */

import { sourceOf } from "./link/address";

const KEY = "brokers";

export function brokers(): string[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(kept) ? kept.filter((one): one is string => typeof one === "string" && sourceOf(one) === one) : [];
  } catch {
    return [];
  }
}

/** Takes force with the next load of the page. */
export function allowBroker(url: string): void {
  const source = sourceOf(url);
  if (source) localStorage.setItem(KEY, JSON.stringify([...new Set([...brokers(), source])]));
}

export function forgetBrokers(keep: string[]): void {
  localStorage.setItem(KEY, "[]");
  keep.forEach(allowBroker);
}

const meta = document.createElement("meta");
meta.httpEquiv = "Content-Security-Policy";
meta.content = `connect-src 'self' ${brokers().join(" ")}`;
document.head.append(meta);
