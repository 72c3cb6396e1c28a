/** Addresses of brokers: which of them this app can speak to. */

/**
 * What the page's security policy calls the broker at *url*: `wss://host:port`. Null where it is no WebSocket's address, or one
 * that no policy can name: there a host has letters, digits, `.` and `-`, and is neither `my_broker` nor IPv6's `[::1]`.
 */
export function sourceOf(url: string): string | null {
  try {
    const { protocol, host, username } = new URL(url);
    return /^wss?:$/.test(protocol) && !username && /^[a-z0-9.-]+(:\d+)?$/.test(host) ? `${protocol}//${host}` : null;
  } catch {
    return null;
  }
}
