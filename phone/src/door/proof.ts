/** What `doorbell stolen` takes from a phone: the door's key, and the last entry that this phone has seen. */

import { base64, hex } from "./bytes";
import type { Head } from "./journal";

export function proof(verifyKey: Uint8Array, journal: Uint8Array, head: Head): string {
  return `--door-key ${base64(verifyKey)}\n--head ${hex(journal)}:${head.index}:${hex(head.hash)}`;
}
